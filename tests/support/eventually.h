// Waiting for a condition with a deadline, for tests: never for a fixed time. Blocking; use from a test's own threads
// only.
#pragma once

#include <poll.h>

#include <chrono>
#include <utility>

namespace test_support {

using std::chrono::milliseconds;

// Time left until a point on the steady clock, never negative: what poll() is given.
class Deadline {
 public:
  explicit Deadline(milliseconds limit) : end_(std::chrono::steady_clock::now() + limit) {}
  milliseconds left() const {
    const auto left = std::chrono::duration_cast<milliseconds>(end_ - std::chrono::steady_clock::now());
    return left > milliseconds{0} ? left : milliseconds{0};
  }
  bool passed() const { return std::chrono::steady_clock::now() >= end_; }

 private:
  std::chrono::steady_clock::time_point end_;
};

// True as soon as `condition()` is; false when it is still false at the deadline. It is asked at least once, and once
// more at the end, so that a slow machine cannot miss it.
template <typename Condition>
bool eventually(milliseconds limit, Condition&& condition, milliseconds interval = milliseconds{5}) {
  const Deadline deadline(limit);
  while (!condition()) {
    if (deadline.passed()) return condition();
    ::poll(nullptr, 0, static_cast<int>(interval.count()));
  }
  return true;
}

}  // namespace test_support
