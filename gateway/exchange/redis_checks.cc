#include "gateway/exchange/redis_checks.h"

#include <asio/co_spawn.hpp>
#include <utility>

#include "gateway/log/failure.h"
#include "gateway/log/log.h"

namespace gateway::exchange {

void RedisChecks::look() {
  asio::co_spawn(io_, compare_upstreams(), log::logged("compare_upstreams_failed"));
  if (!std::exchange(looking_, true)) asio::co_spawn(io_, look_at_rights(), log::logged("look_at_rights_failed"));
}

std::string RedisChecks::missing_right() const {
  const std::lock_guard lock(mutex_);
  return missing_;
}

// Gateways that share a Redis database answer each other's reads, so one that was meant for another upstream says so in
// the log. It is no error, since replicas may reach one upstream by several names.
asio::awaitable<void> RedisChecks::compare_upstreams() {
  const auto before = co_await client_.command({"SET", "cg:upstream", upstream_, "GET"});
  const auto* value = std::get_if<redis::Value>(&before);
  const auto* other = value == nullptr ? nullptr : std::get_if<std::string>(&value->data);
  if (other != nullptr && *other != upstream_)
    log::warn("redis_of_another_upstream",
              {{"other", std::string_view(*other)},
               {"detail",
                "Gateways that share a Redis database answer each other's reads; give each upstream a "
                "database of its own in redis.url."}});
}

asio::awaitable<void> RedisChecks::look_at_rights() {
  const struct Over {
    bool& looking;
    ~Over() { looking = false; }
  } over{looking_};
  auto missing = co_await rights_.missing();
  if (!missing.empty()) log::error("redis_forbids", {{"why", std::string_view(missing)}});
  const std::lock_guard lock(mutex_);
  missing_ = std::move(missing);
}

}  // namespace gateway::exchange
