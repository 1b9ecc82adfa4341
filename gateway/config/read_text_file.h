// Small files named by settings: the settings file itself, secrets. Blocks on the disk; at the start and on a reload.
#pragma once

#include <string>

namespace gateway::config {

// The file's bytes, without the byte order mark that some editors begin it with. Throws std::runtime_error naming the
// path and the reason; so does a file over 1 MiB, which is neither.
std::string read_text_file(const std::string& path);

}  // namespace gateway::config
