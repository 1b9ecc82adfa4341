// Which token a request for a location is sent with. Tokens come from the settings and are replaced whole by reload().
// Any thread. Which location's budget a request spends follows from the token: a token for every location is one
// upstream app and location to us, since only the upstream knows what it belongs to, and two budgets for one would end
// in its 429s.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "gateway/config/settings.h"
#include "gateway/mutex.h"

namespace gateway::credentials {

// What locations there are credentials for, as far as a request that names none needs to know.
struct Scope {
  std::string own;       // the only one; empty: none or several
  bool several = false;  // tokens of several locations and none that serves for all: a request must say which it means
};

class Credentials {
 public:
  explicit Credentials(std::shared_ptr<const config::Settings> settings);

  // From now on these tokens; a request that has its token already goes on with it.
  void reload(std::shared_ptr<const config::Settings> settings);

  // "Bearer TOKEN" for the location; nothing where there is none.
  std::optional<std::string> authorization(std::string_view location) const;

  Scope scope() const;

  // Whose rate limit a request for `location` counts against.
  std::string budget(std::string_view location) const;

  static constexpr std::string_view kShared = "default";

 private:
  std::shared_ptr<const config::Settings> settings() const;

  mutable Mutex mutex_;
  std::shared_ptr<const config::Settings> settings_ GUARDED_BY(mutex_);
};

}  // namespace gateway::credentials
