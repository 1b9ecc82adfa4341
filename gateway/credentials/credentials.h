// Which token a request for a location is sent with. Immutable for now: tokens come from the settings; any thread may
// read. Which location's budget it spends follows from the token: a token for every location is one upstream app and
// location to us, since only the upstream knows what it belongs to, and two budgets for one would end in its 429s.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "gateway/config/settings.h"

namespace gateway::credentials {

class Credentials {
 public:
  explicit Credentials(std::shared_ptr<const config::Settings> settings);

  // "Bearer TOKEN" for the location; nothing where there is none.
  std::optional<std::string> authorization(std::string_view location) const;

  // The location of a request that names none: the only one there are credentials for. Empty: none or several.
  std::string_view own_location() const { return own_; }
  // Tokens of several locations and none that serves for all: a request must say which it means.
  bool several() const { return several_; }

  // Whose rate limit a request for `location` counts against.
  std::string_view budget(std::string_view location) const;

  static constexpr std::string_view kShared = "default";

 private:
  std::shared_ptr<const config::Settings> settings_;
  std::string own_;
  bool several_ = false;
};

}  // namespace gateway::credentials
