// How many connections a server has, from accept to close, half-open handshakes included; and the wait for none.
// Any thread. The mutex is taken only while somebody waits and the last one leaves.
#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstddef>

#include "gateway/mutex.h"

namespace gateway::server {

class OpenCount {
 public:
  std::size_t raise() { return count_.fetch_add(1, std::memory_order_relaxed); }  // answers how many there were before
  void lower() {
    if (count_.fetch_sub(1) != 1 || !awaited_) return;
    const Lock lock(mutex_);
    none_.notify_all();
  }
  std::size_t get() const { return count_.load(std::memory_order_relaxed); }

  // True when none is left in time. Sequential consistency orders `awaited_` before the look at the count here, and the
  // count before the look at `awaited_` in lower(): one of the two sees the other's.
  bool wait_for_none(std::chrono::steady_clock::time_point end) {
    awaited_ = true;
    const Lock lock(mutex_);
    while (count_.load() != 0)
      if (none_.wait_until(mutex_, end) == std::cv_status::timeout) return count_.load() == 0;
    return true;
  }

 private:
  std::atomic<std::size_t> count_{0};
  std::atomic<bool> awaited_{false};
  Mutex mutex_;
  std::condition_variable_any none_;
};

}  // namespace gateway::server
