#include "gateway/limiter/local_store.h"

#include <algorithm>

namespace gateway::limiter {

namespace {

void report(policies::RateWindow& window, policies::DailyQuota& daily, const Step& step, Instant at) {
  if (step.limit != window.limit()) window.set_limit(step.limit);
  daily.configure({.limit = step.daily_limit});
  for (const auto id : step.ended) window.ended(id, at);
  for (const auto id : step.unsent) {
    window.unsent(id);
    daily.uncount();
  }
  if (step.remaining) window.believe_remaining(*step.remaining, at);
  if (step.pause) window.pause_until(at + *step.pause);
  daily.correct(step.stated_daily_limit, step.daily_remaining, step.daily_reset, window.occupied(at), at);
}

Duration from(Instant at, Instant then) {
  return then == policies::kNever ? Duration::max() / 4 : std::max(Duration{0}, then - at);
}

using Pace = policies::BackgroundPace;

// Whether a further background request leaves enough for urgent ones.
bool background_room(policies::RateWindow& window, Instant at) {
  if (window.available(at) == 0) return false;
  if (!Pace::looks_ahead(window.limit())) return true;
  for (const auto& kept : Pace::kept(window.limit(), window.supply(at)))
    if (window.free_by(at, at + kept.after, kept.slots + 1) <= kept.slots) return false;
  return true;
}

// When there is room for one at the earliest.
Instant next_background_room(policies::RateWindow& window, Instant at) {
  auto next = window.next_free(at, 0);
  if (next == policies::kNever || !Pace::looks_ahead(window.limit())) return next;
  for (const auto& kept : Pace::kept(window.limit(), window.supply(at)))
    next = std::max(next, window.next_free(at, kept.slots) - kept.after);
  return next;
}

}  // namespace

Instant now() { return std::chrono::duration_cast<Instant>(std::chrono::steady_clock::now().time_since_epoch()); }

StepResult apply(policies::RateWindow& window, policies::DailyQuota& daily, policies::BackgroundPace& pace,
                 const Step& step, Instant at) {
  report(window, daily, step, at);
  StepResult result;
  while (result.granted < step.asks.size() && !daily.refusal(0, at)) {
    const bool background = result.granted >= step.urgent;
    if (background && step.daily_limit > 0 && daily.used(at) >= step.daily_background) break;
    if (background && (pace.wait(at) > Duration{0} || !background_room(window, at))) break;
    if (!window.try_grant(step.asks[result.granted], at)) break;
    if (background) pace.granted(step.limit, at);
    daily.count(at);
    ++result.granted;
  }
  const bool lacking = !background_room(window, at);
  if (lacking && result.granted < step.asks.size()) pace.lacking(step.limit, at);
  result.next_background = std::max(pace.wait(at), lacking ? from(at, next_background_room(window, at)) : Duration{0});
  result.available = window.available(at);
  result.next_free = from(at, window.next_free(at, 0));
  result.all_free = from(at, window.next_free(at, window.limit().requests - 1));
  result.paused = from(at, std::max(at, window.paused_until()));
  result.daily_used = daily.used(at);
  result.daily_reset = daily.until_reset(at);
  return result;
}

std::optional<StepResult> LocalStore::step(const std::string& location, const Step& step, Later) {
  auto found = locations_.find(location);
  if (found == locations_.end())
    found = locations_
                .emplace(location, Location{policies::RateWindow(step.limit, hold_),
                                            policies::DailyQuota({.limit = step.daily_limit}),
                                            {}})
                .first;
  auto& [window, daily, pace] = found->second;
  return apply(window, daily, pace, step, now());
}

bool LocalStore::forget(const std::string& location) {
  const auto found = locations_.find(location);
  if (found == locations_.end()) return true;
  const auto at = now();
  auto& [window, daily, pace] = found->second;
  if (window.occupied(at) > 0 || window.paused_until() > at || daily.used(at) > 0) return false;
  locations_.erase(found);
  return true;
}

}  // namespace gateway::limiter
