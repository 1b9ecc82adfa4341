// When may an entry in this process' memory be served? Two conditions, both checked by the worker that serves, after it
// has read the request (rule 6 of the contract: README, "The coherence contract"):
//   1. Nothing that the entry depends on was invalidated since the lookup that led to its fetch. Each surrogate key is
//      mapped to one of a fixed number of counters; an invalidation adds one to it, and an entry carries the sum of its
//      counters as it was at that lookup.
//   2. This replica's lease holds, so that writers elsewhere wait for its acknowledgement.
// An invalidation therefore never searches the memory tier, and an entry that is put in too late is never served: the
// order of the two does not matter. Two keys may share a counter: that costs a miss, never a stale answer. Any thread;
// no locks.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>

namespace gateway::cache {

// CLOCK_BOOTTIME: goes on while the machine sleeps, unlike steady_clock, so that a lease does not outlive a suspended
// laptop.
std::chrono::milliseconds boottime();

// What an entry depends on, as the worker checks it: counter indices and their sum at the lookup.
struct Guard {
  std::u16string counters;
  std::uint64_t sum = 0;
};

class Fence {
 public:
  Fence();

  // Before a lookup, so that whatever is invalidated from then on is seen.
  Guard guard(std::span<const std::string> keys) const;
  bool intact(std::u16string_view counters, std::uint64_t guarded_sum) const { return sum(counters) == guarded_sum; }

  void invalidate(std::span<const std::string> keys);
  void invalidate_all();

  // Without Redis no lease is needed: hold_forever(). With it, set after each successful report.
  void hold_forever() { usable_until_.store(INT64_MAX, std::memory_order_release); }
  void hold_until(std::chrono::milliseconds boottime) {
    usable_until_.store(boottime.count(), std::memory_order_release);
  }
  bool held(std::chrono::milliseconds now) const { return now.count() < usable_until_.load(std::memory_order_acquire); }

 private:
  static constexpr std::size_t kCounters = 1 << 16;  // as many as a char16_t names
  std::uint64_t sum(std::u16string_view counters) const;
  std::unique_ptr<std::atomic<std::uint64_t>[]> counters_;
  std::atomic<std::uint64_t> all_{0};
  std::atomic<std::int64_t> usable_until_{0};
};

}  // namespace gateway::cache
