#include "gateway/status/history.h"

#include <algorithm>

#include "gateway/metrics/families.h"
#include "gateway/metrics/metrics.h"

namespace gateway::status {

namespace {

using metrics::CacheResult;

constexpr std::size_t kSeconds = 61, kTens = 31;
constexpr std::chrono::milliseconds kTen{9'500};  // ticks are a little early or late

double between(Steady from, Steady to) { return std::max(std::chrono::duration<double>(to - from).count(), 0.001); }

Point point_of(const metrics::Totals& counted) {
  Point point;
  point.requests = counted.requests;
  point.errors = counted.server_errors;
  point.limited = counted.limited;
  point.from_cache = from_cache(counted.results);
  point.cacheable = cacheable(counted.results);
  point.upstream = counted.upstream;
  point.saved = counted.saved;
  point.p50 = counted.duration.quantile(0.5, metrics::request_bounds());
  point.p99 = counted.duration.quantile(0.99, metrics::request_bounds());
  return point;
}

}  // namespace

std::uint64_t from_cache(const std::array<std::uint64_t, 6>& results) {
  return results[static_cast<std::size_t>(CacheResult::Hit)] + results[static_cast<std::size_t>(CacheResult::Stale)];
}

std::uint64_t cacheable(const std::array<std::uint64_t, 6>& results) {
  std::uint64_t sum = 0;
  for (std::size_t i = 0; i < results.size(); ++i)
    if (i != static_cast<std::size_t>(CacheResult::Bypass)) sum += results[i];
  return sum;
}

std::optional<Point> History::add(metrics::Totals totals, std::uint64_t waiting, Steady at, std::chrono::seconds wall) {
  std::optional<Point> point;
  if (!seconds_.empty()) {
    point = point_of(totals.since(seconds_.back().totals));
    point->time = wall;
    point->seconds = between(seconds_.back().at, at);
    point->waiting = waiting;
    points_.push_back(*point);
    if (points_.size() > kPoints) points_.pop_front();
    seconds_.back().totals.operations.clear();
  }
  if (tens_.empty() || at - tens_.back().at >= kTen) {
    tens_.push_back({at, totals});
    if (tens_.size() > kTens) tens_.pop_front();
  }
  seconds_.push_back({at, std::move(totals)});
  if (seconds_.size() > kSeconds) seconds_.pop_front();
  return point;
}

History::Span History::last(std::chrono::seconds span) const {
  if (seconds_.empty()) return {};
  const Kept& now = seconds_.back();
  const auto& kept = span <= std::chrono::seconds{60} ? seconds_ : tens_;
  // The newest that is at least so old; ticks are not exact.
  const auto from = std::chrono::milliseconds(span) - std::chrono::milliseconds{500};
  const Kept* before = &kept.front();
  for (const Kept& each : kept)
    if (now.at - each.at >= from) before = &each;
  return {now.totals.since(before->totals), between(before->at, now.at)};
}

}  // namespace gateway::status
