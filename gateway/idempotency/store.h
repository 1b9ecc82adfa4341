// Where the records of Idempotency-Keys are kept: in this process (LocalStore) or in the Redis that replicas share
// (RedisStore). Each call is one atomic step of policies/idempotency.h by the store's own clock. Asio thread only.
#pragma once

#include <asio/awaitable.hpp>
#include <chrono>
#include <optional>
#include <string>

#include "policies/idempotency.h"

namespace gateway::idempotency {

inline constexpr auto kKept = std::chrono::hours(24);  // from a record's last step; of a settled one: from its answer
inline constexpr auto kLease = std::chrono::seconds(5);
inline constexpr auto kRenewEvery = std::chrono::seconds(1);

// What names a record, and who speaks. `name` is a digest: neither the client's key nor its body is kept.
struct Speaker {
  std::string name;
  std::string fingerprint;
  std::string owner;
};

struct Claimed {
  policies::IdempotencyClaim claim = policies::IdempotencyClaim::Fresh;
  std::chrono::milliseconds since_sent{0};  // of Doubt
  std::string answer;                       // of Learned and Replay: encoded
};

class Store {
 public:
  virtual ~Store() = default;
  // Nothing: no reply. It may have been done all the same; asking again as the same owner is right.
  virtual asio::awaitable<std::optional<Claimed>> claim(Speaker speaker) = 0;
  virtual asio::awaitable<std::optional<bool>> advance(Speaker speaker, policies::IdempotencyStep step,
                                                       std::string answer) = 0;
  // Returns when it may be worth asking again after no reply, at `limit` at the latest.
  virtual asio::awaitable<void> reachable(std::chrono::milliseconds limit) = 0;
};

}  // namespace gateway::idempotency
