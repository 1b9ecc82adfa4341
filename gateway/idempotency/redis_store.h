// The records in Redis, one hash a key, by Redis' own clock; the steps of policies/idempotency.h as two scripts. They
// last as long as Redis keeps its data: one that comes back empty has forgotten them. Asio thread only.
#pragma once

#include "gateway/idempotency/store.h"
#include "gateway/redis/client.h"

namespace gateway::idempotency {

class RedisStore final : public Store {
 public:
  explicit RedisStore(redis::Client& redis, policies::Duration lease = kLease) : redis_(redis), lease_(lease) {}

  asio::awaitable<std::optional<Claimed>> claim(Speaker speaker) override;
  asio::awaitable<std::optional<bool>> advance(Speaker speaker, policies::IdempotencyStep step,
                                               std::string answer) override;
  asio::awaitable<void> reachable(std::chrono::milliseconds limit) override;

 private:
  redis::Client& redis_;
  policies::Duration lease_;
};

}  // namespace gateway::idempotency
