// What is looked at each time that Redis is there: whether it is another upstream's too, and whether its user may do
// what the gateway does. Both are told in the log; nothing is stopped by them. Asio thread, but where said.
#pragma once

#include <asio/awaitable.hpp>
#include <asio/io_context.hpp>
#include <mutex>
#include <string>

#include "gateway/redis/client.h"
#include "gateway/redis/rights.h"

namespace gateway::exchange {

class RedisChecks {
 public:
  RedisChecks(asio::io_context& io, redis::Client& client, redis::Url url, std::string upstream)
      : io_(io), client_(client), rights_(io, std::move(url)), upstream_(std::move(upstream)) {}

  void look();

  std::string missing_right() const;  // one sentence; empty: none is known. Any thread

 private:
  asio::awaitable<void> compare_upstreams();
  asio::awaitable<void> look_at_rights();

  asio::io_context& io_;
  redis::Client& client_;
  redis::Rights rights_;
  const std::string upstream_;
  bool looking_ = false;
  mutable std::mutex mutex_;
  std::string missing_;
};

}  // namespace gateway::exchange
