// Tokens of locations that an agency's token makes on demand (`/oauth/locationToken`): one call at a time for a
// location, kept in memory, renewed when they are used after 80 % of their life, made anew after a restart. Asio thread
// only.
#pragma once

#include <string>
#include <unordered_map>

#include "gateway/credentials/grants.h"

namespace gateway::credentials {

class LocationTokens {
 public:
  LocationTokens(asio::io_context& io, Grants& grants, TokenEndpoint& endpoint, std::string version,
                 std::function<void(std::string_view)> count, std::function<void()> changed);

  // A token that may be used now. One that is due is renewed beside it.
  AccessPtr held(const std::string& location);
  // Starts making one unless that is under way or was tried just now.
  void want(const std::string& location);
  // No agency makes one for it: as of the last try, a short while ago.
  bool refused(const std::string& location) const;
  std::string trouble(const std::string& location) const;

  // The upstream refused a request for its token: another is on its way, or there already.
  bool refuse(const std::string& location, const AccessPtr& access);
  void drop(const std::string& location);            // the app was installed there or taken away
  void drop_made_by(const std::string& company_id);  // the app was taken away from the whole agency: its grant's id
  bool holds(const std::string& location, const AccessPtr& access) const;

  struct Expiry {
    std::string location;
    policies::WallMillis expires;
  };
  void append_expiries(std::vector<Expiry>& expiries) const;

 private:
  struct Token {
    AccessPtr access;
    std::string made_by;  // the grant's id
    policies::TokenTimes times;
    double jitter = 0;
    bool making = false, refused = false, none = false;
    int failures = 0;
    policies::WallMillis not_before{0};
    std::string trouble;
    policies::ForcedRenewals forced;
  };
  using TokenPtr = std::shared_ptr<Token>;
  enum class Result { Made, Refused, Passing };

  const TokenPtr& entry(const std::string& location);
  asio::awaitable<void> make(std::string location, TokenPtr token);
  asio::awaitable<Result> make_with(GrantPtr company, std::string location, TokenPtr token);
  asio::awaitable<AccessPtr> access_of(GrantPtr company);
  void forget_old();

  asio::io_context& io_;
  Grants& grants_;
  TokenEndpoint& endpoint_;
  std::string version_;
  std::function<void(std::string_view)> count_;
  std::function<void()> changed_;
  std::unordered_map<std::string, TokenPtr> tokens_;
};

}  // namespace gateway::credentials
