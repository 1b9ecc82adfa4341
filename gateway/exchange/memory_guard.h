// Keeps the process under `server.memory_limit`: looks at its resident memory ten times a second. Above the limit the
// memory tier gives way first; where that is not enough, requests are refused until it is under nine tenths. watch()
// runs on the io_context's thread; the others may be called by any thread.
#pragma once

#include <asio/awaitable.hpp>
#include <asio/io_context.hpp>
#include <atomic>
#include <cstdint>

#include "gateway/cache/memory_tier.h"

namespace gateway::exchange {

class MemoryGuard {
 public:
  MemoryGuard(asio::io_context& io, std::uint64_t limit, cache::MemoryTier& memory)
      : io_(io), limit_(limit), memory_(memory) {}

  asio::awaitable<void> watch();  // until cancelled or the io_context ends; returns at once without a limit

  const std::atomic<bool>& refusing() const { return refusing_; }
  void count_refusal() const { refusals_.fetch_add(1, std::memory_order_relaxed); }
  std::uint64_t refusals() const { return refusals_.load(std::memory_order_relaxed); }
  std::uint64_t limit() const { return limit_; }

 private:
  std::uint64_t relieve();  // what is resident after it

  asio::io_context& io_;
  const std::uint64_t limit_;
  cache::MemoryTier& memory_;
  std::atomic<bool> refusing_{false};
  mutable std::atomic<std::uint64_t> refusals_{0};
};

}  // namespace gateway::exchange
