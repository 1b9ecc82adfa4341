// The upstream's rate limit of one app and location, and its books: every arrival with its moment, so that a test can
// ask afterwards how many fell into any window. Pure: time comes in. Sliding: a request is refused when N were admitted
// less than W ago. Fixed: when N were admitted since the last multiple of W.
#pragma once

#include <chrono>
#include <cstdint>
#include <deque>
#include <vector>

namespace simulator {

struct LimitOptions {
  std::size_t requests = 100;  // 0: no limit
  std::chrono::microseconds interval = std::chrono::seconds(10);
  std::size_t daily = 200'000;
  std::chrono::microseconds day = std::chrono::hours(24);  // shorter in tests
  bool fixed = false;
};

struct Verdict {
  bool admitted = true;
  std::size_t remaining = 0;
  std::size_t daily_remaining = 0;
  std::chrono::milliseconds daily_reset{0};  // until then
};

class LimitBook {
 public:
  // `now` never goes back.
  Verdict arrive(std::chrono::microseconds now, const LimitOptions& options);
  // The state that a request which does not count sees (an unauthorised one).
  Verdict peek(std::chrono::microseconds now, const LimitOptions& options);

  std::size_t arrivals() const { return arrivals_; }
  std::size_t refused() const { return refused_; }
  // The most arrivals (admitted or not) and the most admitted ones in any window [t, t + width).
  std::size_t most_in_window(std::chrono::microseconds width) const;
  std::size_t most_admitted_in_window(std::chrono::microseconds width) const;

  struct Arrival {
    std::chrono::microseconds at{0};
    bool admitted = true;
  };
  // The first kKept arrivals in order; `complete` says whether that is all of them.
  const std::vector<Arrival>& kept() const { return kept_; }
  bool complete() const { return kept_.size() == arrivals_; }
  static constexpr std::size_t kKept = 2'000'000;

 private:
  void forget(std::chrono::microseconds now, const LimitOptions& options);
  Verdict state(std::chrono::microseconds now, const LimitOptions& options) const;

  std::deque<std::chrono::microseconds> admitted_;  // those that still count
  std::vector<Arrival> kept_;
  std::size_t arrivals_ = 0;
  std::size_t refused_ = 0;
  std::size_t today_ = 0;
  std::chrono::microseconds day_began_{-1};
};

}  // namespace simulator
