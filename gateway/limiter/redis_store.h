// Windows and daily counts shared by all replicas of one Redis, by Redis' own clock.
//
// Why no seam lets more than N through (N: rate_limit.requests):
// 1. While Redis answers, every grant is one script's: slots of all replicas are in one sorted set.
// 2. Redis lost: a replica goes on alone, counted in its own mirror of the slots it holds. It is lost when it stands
//    still for redis.timeout, and when a connection that broke cannot be dialled anew at once; a redial alone lets
//    nobody take more. For a moment a replica then takes policies::share_at_once(), afterwards what share_cap() says.
// 3. Back on the same data (run id and the epoch's nonce tell) without having granted alone: it writes its slots,
//    then asks.
// 4. Having granted alone, or on data that is empty, rolled back or another server's: others may have done so too, so
//    the first to return begins a new epoch under quarantine. During it everyone writes and renews reservations for
//    what it holds or may take under its cap; nobody grants from the shared window. It ends when all replicas that
//    anyone knew of are there, at the latest after its time. Then each writes its slots in place of its reservations
//    and asks Redis again.
// A replica that starts anew during a quarantine waits for its end. A newcomer in an empty Redis needs none: only if
// replicas from before come back to that Redis a moment later can both spend, until the first of them sets the
// quarantine. A whole new replica that never reached Redis waits a moment for it, then believes to be alone. Asio
// thread only.
#pragma once

#include <asio/steady_timer.hpp>
#include <memory>
#include <string>
#include <unordered_map>

#include "gateway/limiter/store.h"
#include "gateway/redis/client.h"
#include "policies/daily_quota.h"
#include "policies/rate_share.h"

namespace asio {
class io_context;
}

namespace gateway::limiter {

class RedisStore : public Store {
 public:
  struct Options {
    Duration hold{30'000'000};  // upstream.timeout
    std::string prefix = "gateway:limit:";
    Duration lease = std::chrono::seconds(3);          // of a replica, for counting live ones
    Duration quarantine = std::chrono::seconds(3);     // longer than a live replica takes to reconnect
    Duration first_contact = std::chrono::seconds(1);  // how long a new replica waits for Redis
  };
  RedisStore(asio::io_context& io, redis::Client& redis, Options options);
  ~RedisStore() override;

  void start() override;
  void stop() override;
  std::optional<StepResult> step(const std::string& location, const Step& step, Later later) override;
  bool forget(const std::string& location) override;

 private:
  class Impl;
  asio::io_context& io_;
  std::shared_ptr<Impl> impl_;
};

}  // namespace gateway::limiter
