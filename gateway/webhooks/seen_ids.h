// Which webhooks were taken already, by all replicas that share the Redis; without Redis, by this process. An id is
// remembered for the time it is given. Asio thread only.
#pragma once

#include <asio/awaitable.hpp>
#include <chrono>
#include <deque>
#include <string>
#include <unordered_map>

#include "gateway/redis/client.h"

namespace gateway::webhooks {

class SeenIds {
 public:
  enum class Seen { New, Before, Unknown };  // Unknown: Redis is away

  explicit SeenIds(redis::Client* redis) : redis_(redis) {}  // null: none

  asio::awaitable<Seen> look(std::string id);
  // New: this call, and no other, has taken it.
  asio::awaitable<Seen> take(std::string id, std::chrono::milliseconds memory);

 private:
  void forget_old(std::chrono::steady_clock::time_point now);

  redis::Client* redis_;
  // Without Redis. Bounded: beyond kMost the oldest are forgotten, which only their own age then still guards.
  static constexpr std::size_t kMost = 200'000;
  std::unordered_map<std::string, std::chrono::steady_clock::time_point> until_;
  std::deque<std::string> order_;
};

}  // namespace gateway::webhooks
