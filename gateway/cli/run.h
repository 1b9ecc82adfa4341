// The command line of contacts-gateway: commands and their options by CLI11, setting flags (--cache.enabled=false) from
// the settings table.
#pragma once

namespace gateway::cli {

int run(int argc, char** argv);

}  // namespace gateway::cli
