// Which settings a running gateway can change, and what of new settings it can therefore take. Pure; any thread.
#pragma once

#include <string_view>
#include <vector>

#include "gateway/config/settings.h"

namespace gateway::lifecycle {

// What differs, by path. Paths only: values may be secrets.
struct Changes {
  std::vector<std::string_view> live;     // can be taken while running
  std::vector<std::string_view> restart;  // need one
  bool none() const { return live.empty() && restart.empty(); }
};
Changes changes_between(const config::Settings& from, const config::Settings& to);

// `wanted` with what needs a restart as it is in `running`.
config::Settings takeable(const config::Settings& running, config::Settings wanted);

}  // namespace gateway::lifecycle
