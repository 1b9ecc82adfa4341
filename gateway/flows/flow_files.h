// The flows of a folder: every *.json in it, read and checked whole before anything starts. Blocks on files; for the
// start and for `check`, not for the Asio thread.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "policies/flows/flow.h"

namespace gateway::flows {

using Flows = std::vector<policies::flows::Flow>;

struct FlowFiles {
  std::shared_ptr<const Flows> flows;  // in the order of their names; null where there are problems
  std::vector<std::string> problems;   // "flows/lead.json:12: do[0].body.phone: …", one line each
};
FlowFiles load_flows(const std::string& folder);

// A zone of the system's tz database (package tzdata; TZDIR is not asked).
std::variant<std::shared_ptr<const policies::flows::Zone>, std::string> system_zone(std::string_view name);

}  // namespace gateway::flows
