#include "gateway/exchange/memory_guard.h"

#include <malloc.h>

#include <asio/steady_timer.hpp>
#include <asio/use_awaitable.hpp>

#include "gateway/log/log.h"
#include "gateway/metrics/process.h"
#include "policies/memory_pressure.h"

namespace gateway::exchange {

namespace {
constexpr std::chrono::milliseconds kLook{100};
policies::Instant steady_now() {
  return std::chrono::duration_cast<policies::Instant>(std::chrono::steady_clock::now().time_since_epoch());
}
}  // namespace

std::uint64_t MemoryGuard::relieve() {
  memory_.clear();
  ::malloc_trim(0);
  return metrics::resident_bytes();
}

asio::awaitable<void> MemoryGuard::watch() {
  if (limit_ == 0) co_return;
  policies::MemoryPressure pressure(limit_);
  asio::steady_timer pause(io_);
  for (;;) {
    auto used = metrics::resident_bytes();
    const auto cached = static_cast<std::uint64_t>(memory_.bytes());
    if (pressure.gives_way(used, cached, steady_now())) {
      if (!pressure.refusing())
        log::warn("memory_limit_reached", {{"resident_bytes", static_cast<std::int64_t>(used)},
                                           {"cache_bytes_dropped", static_cast<std::int64_t>(cached)}});
      used = relieve();
    }
    const bool refuse = pressure.observe(used, steady_now());
    if (refusing_.exchange(refuse, std::memory_order_relaxed) != refuse)
      log::warn(refuse ? "memory_limit_refuses" : "memory_limit_passed",
                {{"resident_bytes", static_cast<std::int64_t>(used)}});
    pause.expires_after(kLook);
    co_await pause.async_wait(asio::use_awaitable);
  }
}

}  // namespace gateway::exchange
