#include "gateway/cache/fence.h"

#include <time.h>

#include <functional>

namespace gateway::cache {

namespace {
char16_t counter_of(std::string_view key) { return static_cast<char16_t>(std::hash<std::string_view>{}(key)); }
}  // namespace

std::chrono::milliseconds boottime() {
  timespec now{};
  clock_gettime(CLOCK_BOOTTIME, &now);
  return std::chrono::milliseconds(now.tv_sec * 1000 + now.tv_nsec / 1'000'000);
}

Fence::Fence() : counters_(std::make_unique<std::atomic<std::uint64_t>[]>(kCounters)) {}

// Counters only grow, so equal sums mean that none of them moved.
std::uint64_t Fence::sum(std::u16string_view counters) const {
  std::uint64_t total = all_.load(std::memory_order_acquire);
  for (auto index : counters) total += counters_[index].load(std::memory_order_acquire);
  return total;
}

Guard Fence::guard(std::span<const std::string> keys) const {
  Guard guard;
  guard.counters.reserve(keys.size());
  for (const auto& key : keys) guard.counters.push_back(counter_of(key));
  guard.sum = sum(guard.counters);
  return guard;
}

void Fence::invalidate(std::span<const std::string> keys) {
  for (const auto& key : keys) counters_[counter_of(key)].fetch_add(1, std::memory_order_acq_rel);
}

void Fence::invalidate_all() { all_.fetch_add(1, std::memory_order_acq_rel); }

}  // namespace gateway::cache
