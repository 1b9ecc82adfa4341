// The last minutes as points a second apart, and what was counted within some spans of them. One thread.
#pragma once

#include <chrono>
#include <cstdint>
#include <deque>
#include <optional>

#include "gateway/metrics/totals.h"

namespace gateway::status {

using Steady = std::chrono::steady_clock::time_point;

// One second; counts as they are, not rates: a tick that came late holds more.
struct Point {
  std::chrono::seconds time{0};  // Unix
  double seconds = 1;            // what it covers
  std::uint64_t requests = 0, errors = 0, limited = 0;
  std::uint64_t from_cache = 0, cacheable = 0;  // reads that asked the cache, and those it answered
  std::uint64_t upstream = 0, saved = 0;
  std::optional<std::chrono::nanoseconds> p50, p99;
  std::uint64_t waiting = 0;  // in queues, at its end
};

class History {
 public:
  static constexpr std::size_t kPoints = 300;

  // `waiting`: requests in queues now. Nothing for the first call: a count needs a before.
  std::optional<Point> add(metrics::Totals totals, std::uint64_t waiting, Steady at, std::chrono::seconds wall);
  const std::deque<Point>& points() const { return points_; }

  // What was counted within the last `span` (or since the start), and how long that was. Up to a minute to the second,
  // beyond to ten.
  struct Span {
    metrics::Totals counted;
    double seconds = 1;
  };
  Span last(std::chrono::seconds span) const;

 private:
  struct Kept {
    Steady at;
    metrics::Totals totals;
  };
  std::deque<Kept> seconds_;  // a minute of them, the newest last; only the newest with its operations
  std::deque<Kept> tens_;     // five minutes
  std::deque<Point> points_;
};

// Of a span's counts.
std::uint64_t from_cache(const std::array<std::uint64_t, 6>& results);  // hit, stale
std::uint64_t cacheable(const std::array<std::uint64_t, 6>& results);   // all but bypass

}  // namespace gateway::status
