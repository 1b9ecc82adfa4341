// OAuth 2.0 credentials: which token a request for a location is sent with, waiting for one where it is being renewed
// or made. Grants keeps the grants alive, LocationTokens makes the locations' of agencies. Asio thread only, but for
// known() and report(), which any thread may call.
#pragma once

#include <memory>
#include <set>
#include <string>
#include <variant>
#include <vector>

#include "gateway/credentials/installation_news.h"
#include "gateway/credentials/location_tokens.h"
#include "gateway/mutex.h"

namespace gateway::credentials {

struct OAuthParts {
  asio::io_context& io;
  std::unique_ptr<token_store::Store> store;
  redis::Client* redis;                                // null: no other replica is to be told of installations
  std::function<void(std::string_view result)> count;  // gateway_token_refreshes_total
  std::function<void()> on_known;                      // known() may have changed
};

class OAuth {
 public:
  OAuth(OAuthParts parts, const config::Settings& settings);

  void start();
  asio::awaitable<void> stop();
  void reload(const config::Settings& settings);

  AccessPtr held(std::string_view location);
  asio::awaitable<std::variant<AccessPtr, NoAccess>> acquire(std::string location, Clock::time_point deadline);
  // After a 401 to a request with `access`. True: acquire() has another, or will have.
  asio::awaitable<bool> refused(std::string location, AccessPtr access, Clock::time_point deadline);
  // INSTALL fetches the location's token, UNINSTALL drops what there is, in every replica. False: not possible now.
  asio::awaitable<bool> on_installation(policies::Installation installation);

  // For which locations there are grants; any thread.
  struct Known {
    std::set<std::string, std::less<>> locations;
    bool agencies = false;  // which make tokens of locations that nobody has named yet
    bool operator==(const Known&) const = default;
  };
  Known known() const;
  // Whether its requests are sent with a token of its own; any thread.
  bool knows(std::string_view location) const;

  // For metrics and readiness, as of the last publish(); any thread.
  struct Report {
    std::vector<LocationTokens::Expiry> expiries;  // soonest first
    std::vector<std::string> troubles;             // sentences for an operator
    bool any_usable = false;
  };
  Report report() const;
  void publish();

 private:
  policies::GrantChoice choose(std::string_view location) const;
  void grants_changed();
  std::string why_ended(const GrantState& grant) const;
  std::string trouble_of(const std::string& location) const;
  std::vector<std::string> troubles() const;
  asio::awaitable<bool> installed(std::string location);
  asio::awaitable<bool> uninstalled(policies::Installation installation);

  asio::io_context& io_;
  std::unique_ptr<token_store::Store> store_;
  TokenEndpoint endpoint_;
  redis::Event changed_;
  std::function<void()> on_known_;
  Grants grants_;
  LocationTokens tokens_;
  InstallationNews news_;

  mutable Mutex mutex_;
  Known known_ GUARDED_BY(mutex_);
  Report report_ GUARDED_BY(mutex_);
};

}  // namespace gateway::credentials
