// When may a thing be freed that readers without a lock could still be looking at? (Epoch-based reclamation.) There is
// a number, the time, that moves on with each thing retired. A reader announces the time at which it begins to look,
// and withdraws that when it is done; what was retired before the earliest time announced can be seen by nobody.
// Why that holds, all operations below being in one order (memory_order_seq_cst):
//   1. The writer unlinks a thing and then retires it, which moves the time from r to r + 1. Only then does it look at
//      what readers have announced.
//   2. A reader first announces the time e, then looks. If the writer did not see that, the reader announced it after
//      the writer had looked, so after the unlinking: it cannot find the thing.
//   3. If the writer saw e > r, the reader took the time after it had moved, so after the unlinking: the same.
//   4. Else e <= r, and the thing is kept.
#pragma once

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <memory>
#include <vector>

#include "gateway/mutex.h"

namespace gateway::cache {

class ReadSections {
 public:
  // One reader, used by one thread at a time, with one section at a time. Stays until the ReadSections goes.
  class Reader {
   public:
    explicit Reader(const std::atomic<std::uint64_t>& time) : time_(time) {}
    void enter() { since_.store(time_.load()); }
    void leave() { since_.store(0, std::memory_order_release); }

   private:
    friend class ReadSections;
    alignas(64) std::atomic<std::uint64_t> since_{0};  // 0: it does not look; its own cache line, as it alone writes
    alignas(64) const std::atomic<std::uint64_t>& time_;
  };

  Reader& add_reader() {
    Lock lock(mutex_);
    return *readers_.emplace_back(std::make_unique<Reader>(time_));
  }

  // By one writer at a time, after the unlinking: what it is to be freed under.
  std::uint64_t retire() { return time_.fetch_add(1); }
  // What was retired under less than this is seen by nobody.
  std::uint64_t unseen_below() const {
    Lock lock(mutex_);
    std::uint64_t earliest = time_.load();
    for (const auto& reader : readers_)
      if (const auto since = reader->since_.load(); since != 0) earliest = std::min(earliest, since);
    return earliest;
  }

 private:
  mutable Mutex mutex_;
  std::vector<std::unique_ptr<Reader>> readers_ GUARDED_BY(mutex_);
  std::atomic<std::uint64_t> time_{1};
};

}  // namespace gateway::cache
