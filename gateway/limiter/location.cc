#include "gateway/limiter/location.h"

#include <algorithm>

#include "policies/retry.h"

namespace gateway::limiter {

Duration Location::expected_wait(std::size_t k, Duration typical_time, Instant at) const {
  const auto passed = at - last_at;
  const auto paused = std::max(Duration{0}, paused_until - at);
  const auto available = last.available + returning;
  if (!known || limit.requests == 0 || k < available) return paused;
  const auto behind = k - available;
  const auto turns = static_cast<Duration::rep>(behind / limit.requests);
  // Within a turn the slots come back between the next one and the last one of the window.
  const auto part = static_cast<double>(behind % limit.requests) / static_cast<double>(limit.requests);
  const auto spread = std::max(Duration{0}, last.all_free - last.next_free);
  const auto first = last.next_free + Duration(static_cast<Duration::rep>(part * static_cast<double>(spread.count())));
  return std::max(paused, first - passed + turns * (limit.interval + typical_time));
}

Duration Location::paced_wait(std::size_t k, Instant at) const {
  using Pace = policies::BackgroundPace;
  const auto at_once = queue.waiting(policies::kLeastUrgent) + Pace::burst(limit);
  const auto spaced = k > at_once ? static_cast<Duration::rep>(k - at_once) : 0;
  return std::max(Duration{0}, last.next_background - (at - last_at)) + spaced * Pace::spacing(limit);
}

void Location::learn(const policies::StatedLimits& stated, const policies::RateLimit& configured, Instant at) {
  if (stated.max || stated.interval)
    limit = policies::stricter(
        configured, {stated.max.value_or(configured.requests), stated.interval.value_or(configured.interval)});
  if (stated.remaining) next.remaining = std::min(next.remaining.value_or(*stated.remaining), *stated.remaining);
  if (stated.daily_limit) {
    next.stated_daily_limit = stated.daily_limit;
    quota.correct(stated.daily_limit, {}, {}, 0, at);
  }
  if (stated.daily_remaining)
    next.daily_remaining = std::min(next.daily_remaining.value_or(*stated.daily_remaining), *stated.daily_remaining);
  if (stated.daily_reset) {
    next.daily_reset = stated.daily_reset;
    day_told_until = at + *stated.daily_reset;
  } else if (stated.daily_remaining && at >= day_told_until && uses_up(*stated.daily_remaining)) {
    next.daily_reset = std::min(quota.until_reset(at), policies::kLongestPause);
  }
}

bool Location::uses_up(std::uint64_t daily_remaining) const {
  const auto most = quota.limit();
  if (most == 0 || next.stated_daily_limit.value_or(most) != most) return false;
  return most - std::min(most, daily_remaining) >= quota.ceiling(policies::kLeastUrgent + 1);
}

}  // namespace gateway::limiter
