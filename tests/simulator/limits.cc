#include "tests/simulator/limits.h"

#include <algorithm>

namespace simulator {

namespace {

template <typename Counts>
std::size_t most(const std::vector<LimitBook::Arrival>& arrivals, std::chrono::microseconds width, Counts counts) {
  std::size_t first = 0, inside = 0, best = 0;
  for (const LimitBook::Arrival& arrival : arrivals) {
    if (!counts(arrival)) continue;
    ++inside;
    for (; arrival.at - arrivals[first].at >= width; ++first) {
      if (counts(arrivals[first])) --inside;
    }
    best = std::max(best, inside);
  }
  return best;
}

}  // namespace

Verdict LimitBook::arrive(std::chrono::microseconds now, const LimitOptions& options) {
  forget(now, options);
  if (day_began_.count() < 0) day_began_ = now;
  const bool free = options.requests == 0 || (admitted_.size() < options.requests && today_ < options.daily);
  ++arrivals_;
  if (kept_.size() < kKept) kept_.push_back({now, free});
  if (free) {
    ++today_;
    if (options.requests != 0) admitted_.push_back(now);
  } else {
    ++refused_;
  }
  Verdict verdict = state(now, options);
  verdict.admitted = free;
  return verdict;
}

Verdict LimitBook::peek(std::chrono::microseconds now, const LimitOptions& options) {
  forget(now, options);
  return state(now, options);
}

void LimitBook::forget(std::chrono::microseconds now, const LimitOptions& options) {
  const auto gone = [&](std::chrono::microseconds at) {
    return options.fixed ? at / options.interval != now / options.interval : now - at >= options.interval;
  };
  while (!admitted_.empty() && gone(admitted_.front())) admitted_.pop_front();
  if (day_began_.count() >= 0 && now - day_began_ >= options.day) {
    today_ = 0;
    day_began_ = now;
  }
}

Verdict LimitBook::state(std::chrono::microseconds now, const LimitOptions& options) const {
  Verdict verdict;
  verdict.remaining = options.requests - std::min(options.requests, admitted_.size());
  verdict.daily_remaining = options.daily - std::min(options.daily, today_);
  const auto began = day_began_.count() < 0 ? now : day_began_;
  verdict.daily_reset = std::chrono::duration_cast<std::chrono::milliseconds>(began + options.day - now);
  return verdict;
}

std::size_t LimitBook::most_in_window(std::chrono::microseconds width) const {
  return most(kept_, width, [](const Arrival&) { return true; });
}

std::size_t LimitBook::most_admitted_in_window(std::chrono::microseconds width) const {
  return most(kept_, width, [](const Arrival& arrival) { return arrival.admitted; });
}

}  // namespace simulator
