// Instants with ids, in order, for what is taken off the front as time passes. Nearly everything comes at the end,
// where it costs O(1); the k-th is found in O(1), which a set cannot do; what is put in or taken out elsewhere moves
// the shorter side. Owned by one thread.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <utility>

#include "policies/instant.h"

namespace policies {

class TimedQueue {
 public:
  using Timed = std::pair<Instant, std::uint64_t>;

  void insert(Instant at, std::uint64_t id) {
    const Timed timed{at, id};
    if (timed_.empty() || timed_.back() <= timed)
      timed_.push_back(timed);
    else
      timed_.insert(std::upper_bound(timed_.begin(), timed_.end(), timed), timed);
  }
  // One of those that are equal; nothing where there is none.
  void erase(Instant at, std::uint64_t id) {
    const Timed timed{at, id};
    const auto found = std::lower_bound(timed_.begin(), timed_.end(), timed);
    if (found != timed_.end() && *found == timed) timed_.erase(found);
  }
  void pop_front() { timed_.pop_front(); }
  void delay(Duration longer) {
    for (auto& [at, id] : timed_) at += longer;
  }

  bool empty() const { return timed_.empty(); }
  std::size_t size() const { return timed_.size(); }
  const Timed& front() const { return timed_.front(); }
  const Timed& operator[](std::size_t place) const { return timed_[place]; }
  auto begin() const { return timed_.begin(); }
  auto end() const { return timed_.end(); }

 private:
  std::deque<Timed> timed_;
};

}  // namespace policies
