// Which token a request for a location is sent with: a location's own from the settings, its OAuth grant's or the one
// that its agency makes, else the token that serves for all. Tokens of the settings are replaced whole by reload().
// Which location's budget a request spends follows from the token: a token for every location is one upstream app and
// location to us, since only the upstream knows what it belongs to, and two budgets for one would end in its 429s.
// scope() and reload() on any thread, the rest on the Asio thread.
#pragma once

#include <asio/awaitable.hpp>
#include <chrono>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <variant>

#include "gateway/config/settings.h"
#include "gateway/credentials/access.h"
#include "gateway/mutex.h"

namespace gateway::credentials {

class OAuth;

// What locations there are credentials for, as far as a request that names none needs to know.
struct Scope {
  std::string own;       // the only one; empty: none or several
  bool several = false;  // tokens of several locations and none that serves for all: a request must say which it means
  bool shared = false;   // one token serves for all locations but `bound`
  // Locations with a token of their own in the settings. An OAuth grant's is not one of them beside a shared token,
  // which does where the grant has died.
  std::set<std::string, std::less<>> bound{};
  // The upstream holds a request for `location` to that location, whatever records it names.
  bool binds(std::string_view location) const { return !shared || bound.contains(location); }
  bool operator==(const Scope&) const = default;
};

class Credentials {
 public:
  explicit Credentials(std::shared_ptr<const config::Settings> settings);

  // OAuth too, from now on; it outlives the requests.
  void use(OAuth* oauth) { oauth_ = oauth; }

  // From now on these tokens; a request that has its token already goes on with it.
  void reload(std::shared_ptr<const config::Settings> settings);

  // What may be used at once; null where there is none, or none yet.
  AccessPtr held(std::string_view location) const;
  // The same, waiting for a token that is being renewed or made until `deadline`.
  asio::awaitable<std::variant<AccessPtr, NoAccess>> acquire(std::string location,
                                                             std::chrono::steady_clock::time_point deadline) const;
  // The upstream answered 401, and not for the request's own sake. True: it is worth a try with what acquire() gives.
  asio::awaitable<bool> refused(std::string location, AccessPtr access,
                                std::chrono::steady_clock::time_point deadline) const;

  Scope scope() const;

  // Whose rate limit a request for `location` counts against.
  std::string budget(std::string_view location) const;

  static constexpr std::string_view kShared = "default";

 private:
  // Of the settings.
  struct Fixed {
    AccessPtr shared;
    std::map<std::string, AccessPtr, std::less<>> locations;
  };
  static std::shared_ptr<Fixed> fixed_of(const config::Settings& settings);
  std::shared_ptr<const Fixed> fixed() const;

  OAuth* oauth_ = nullptr;
  mutable Mutex mutex_;
  std::shared_ptr<const Fixed> fixed_ GUARDED_BY(mutex_);
};

}  // namespace gateway::credentials
