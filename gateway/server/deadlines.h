// What a worker's connections wait for, and until when. Each kind has one duration, so a list in order of starting is
// in order of ending too: every change costs the same, however many connections there are. Used by one worker thread;
// the clock is given.
#pragma once

#include <array>
#include <chrono>
#include <optional>

namespace gateway::server {

using Clock = std::chrono::steady_clock;

enum class Wait { None, Idle, Head, Body, Write, Linger };
inline constexpr std::size_t kWaits = 6;

// Links a connection into its list; leaves it when destroyed.
class Waiter {
 public:
  Waiter() = default;
  ~Waiter() { unlink(); }
  Waiter(const Waiter&) = delete;
  Waiter& operator=(const Waiter&) = delete;
  Wait wait() const { return wait_; }

 private:
  friend class Deadlines;
  void unlink() {
    previous_->next_ = next_;
    next_->previous_ = previous_;
    previous_ = next_ = this;
  }
  Waiter* previous_ = this;
  Waiter* next_ = this;
  Wait wait_ = Wait::None;
  Clock::time_point end_{};
};

class Deadlines {
 public:
  void set_duration(Wait wait, Clock::duration duration) { durations_[static_cast<std::size_t>(wait)] = duration; }

  // Starts `wait` anew.
  void start(Waiter& waiter, Wait wait, Clock::time_point now) {
    waiter.unlink();
    waiter.wait_ = wait;
    if (wait == Wait::None) return;
    waiter.end_ = now + durations_[static_cast<std::size_t>(wait)];
    Waiter& end = lists_[static_cast<std::size_t>(wait)];
    waiter.previous_ = end.previous_;
    waiter.next_ = &end;
    end.previous_->next_ = &waiter;
    end.previous_ = &waiter;
  }

  std::optional<Clock::time_point> earliest() const {
    std::optional<Clock::time_point> earliest;
    for (const auto& list : lists_) {
      if (list.next_ != &list && (!earliest || list.next_->end_ < *earliest)) earliest = list.next_->end_;
    }
    return earliest;
  }

  // One whose time is over, or null. Its wait() still says what it waited for; it must be started anew or destroyed.
  Waiter* expired(Clock::time_point now) const {
    for (const auto& list : lists_) {
      if (list.next_ != &list && list.next_->end_ <= now) return list.next_;
    }
    return nullptr;
  }

 private:
  std::array<Waiter, kWaits> lists_;
  std::array<Clock::duration, kWaits> durations_{};
};

}  // namespace gateway::server
