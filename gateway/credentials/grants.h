// The OAuth grants of this process, each kept alive by a coroutine of its own: it renews the access token at 80 % of
// its life, when the upstream refused it, or when there is none yet. The order of a renewal, and why:
//   1. The right to renew comes from the store together with what is stored: where that is a later pair, another
//      process has renewed, and its pair is taken instead.
//   2. The refresh token is spent at the upstream.
//   3. The new pair is stored, for as long as that takes, and only then used or told of: a crash from here on loses
//      nothing. A crash between 2 and 3 loses the grant, since a refresh token works once (README names the width).
//   4. The other processes hear of it from the store.
// Only `invalid_grant` ends a grant; its last access token is used on while it lives. Asio thread only.
#pragma once

#include <asio/io_context.hpp>
#include <functional>
#include <map>
#include <memory>

#include "gateway/credentials/access.h"
#include "gateway/credentials/token_endpoint.h"
#include "gateway/redis/event.h"
#include "gateway/token_store/store.h"

namespace gateway::credentials {

using redis::Clock;

struct GrantState {
  GrantState(asio::io_context& io, token_store::Grant known, config::OAuthGrant by)
      : grant(std::move(known)), client(std::move(by)), kick(io.get_executor()) {}

  token_store::Grant grant;
  config::OAuthGrant client;  // whose app it belongs to: id and secret as configured now
  AccessPtr access;           // of grant.access_token; null before the first
  bool refused = false;       // the upstream does not take it; another is on its way
  Clock::time_point refused_at{};
  bool wanted = false;      // to be renewed before its time
  bool listed = true;       // false: its client left the settings
  bool named_here = false;  // grant.subject is the settings' word, which is not stored: they may change
  double jitter = 0;
  int failures = 0;                    // renewals in a row
  policies::WallMillis not_before{0};  // the next one
  std::string trouble;                 // why the last renewal failed; empty: it did not
  policies::ForcedRenewals forced;
  redis::Event kick;

  std::string name() const;  // the location or company for logs and labels: never empty
  std::string why_unnamed() const;
  token_store::Grant to_store() const;  // what the next version is made of
};
using GrantPtr = std::shared_ptr<GrantState>;

struct GrantsParts {
  asio::io_context& io;
  token_store::Store& store;
  TokenEndpoint& endpoint;
  std::function<void(std::string_view result)> count;  // a renewal ended so
  std::function<void()> changed;                       // something that requests may wait for
};

// Outlives its coroutines: goes after the io_context's thread has ended.
class Grants {
 public:
  Grants(GrantsParts parts, std::vector<config::OAuthGrant> configured);

  void start();
  // Waits for renewals that are under way, `limit` at most, so that no pair is lost.
  asio::awaitable<void> stop(std::chrono::milliseconds limit);
  void configure(std::vector<config::OAuthGrant> configured);

  bool loaded() const { return loaded_; }                  // the store was read
  const std::string& trouble() const { return trouble_; }  // why the store cannot be read; empty: it can
  const std::vector<GrantPtr>& all() const { return grants_; }
  std::vector<policies::GrantView> views() const;  // in the order of all()

  // The upstream refused a request for its token. Whether another token is there, is on its way, or will never come.
  bool refuse(const GrantPtr& grant, const AccessPtr& access);

  // The app was uninstalled: no renewal any more, and all processes know.
  asio::awaitable<bool> end(GrantPtr grant, std::string why);

 private:
  asio::awaitable<void> follow();
  asio::awaitable<void> merge(std::vector<token_store::Grant> stored);
  void plant_seeds();
  void add(token_store::Grant grant, config::OAuthGrant client);
  asio::awaitable<void> keep(GrantPtr grant);
  asio::awaitable<void> renew(GrantPtr grant);
  asio::awaitable<void> store_pair(GrantPtr grant, policies::TokenPair pair, policies::WallMillis asked);
  asio::awaitable<void> no_pair(GrantPtr grant, policies::TokenFault fault, std::string why);
  asio::awaitable<bool> store(GrantPtr grant, token_store::Grant next);
  asio::awaitable<void> refused_for_good(GrantPtr grant);
  void failed(const GrantPtr& grant, std::string_view result, const std::string& why);
  bool reseed(GrantState& grant) const;
  void adopt(const GrantPtr& grant, token_store::Grant next);
  void name_by_settings(GrantState& grant) const;
  GrantPtr find(std::string_view id) const;
  std::optional<config::OAuthGrant> client_of(const token_store::Grant& grant) const;

  GrantsParts parts_;
  std::vector<config::OAuthGrant> configured_;
  std::vector<GrantPtr> grants_;
  bool loaded_ = false, dirty_ = true, stopping_ = false;
  int renewing_ = 0;
  Clock::time_point give_up_ = Clock::time_point::max();  // of storing, once it is stopping
  std::string trouble_;
  redis::Event woken_;
};

}  // namespace gateway::credentials
