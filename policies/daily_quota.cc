#include "policies/daily_quota.h"

#include <algorithm>

namespace policies {

namespace {
constexpr Duration kDay = std::chrono::hours(24);
}

void DailyQuota::roll(Instant now) {
  if (now < day_ends_) return;
  used_ = 0;
  day_ends_ = kNever;
}

std::uint64_t DailyQuota::ceiling(int urgency) const {
  if (urgency <= kLeastUrgent) return limit_;
  return limit_ - static_cast<std::uint64_t>(static_cast<double>(limit_) * std::clamp(options_.reserve, 0.0, 1.0));
}

std::optional<Duration> DailyQuota::refusal(int urgency, Instant now) {
  roll(now);
  if (limit_ == 0 || used_ < ceiling(urgency)) return std::nullopt;
  return until_reset(now);
}

void DailyQuota::count(Instant now) {
  roll(now);
  if (day_ends_ == kNever) day_ends_ = now + kDay;
  ++used_;
}

void DailyQuota::uncount() { used_ -= used_ > 0; }

void DailyQuota::correct(std::optional<std::uint64_t> limit, std::optional<std::uint64_t> remaining,
                         std::optional<Duration> until_reset, std::uint64_t recent, Instant now) {
  roll(now);
  if (limit && *limit > 0 && options_.limit > 0) limit_ = std::min(options_.limit, *limit);
  if (until_reset) day_ends_ = now + std::clamp(*until_reset, Duration{0}, kDay);
  if (!remaining || limit_ == 0) return;
  if (day_ends_ == kNever) day_ends_ = now + kDay;
  const auto believed = limit_ - std::min(limit_, *remaining);
  // An operator's own lower limit is counted here alone: the upstream's larger remaining says nothing about it.
  const bool same_limit = !limit || *limit == limit_;
  if (believed > used_)
    used_ = believed;
  else if (same_limit && used_ > believed + recent)
    used_ = believed + recent;
}

void DailyQuota::set(std::uint64_t used, Duration until_reset, Instant now) {
  used_ = used;
  day_ends_ = until_reset > Duration{0} ? now + until_reset : kNever;
}

std::uint64_t DailyQuota::used(Instant now) {
  roll(now);
  return used_;
}

std::uint64_t DailyQuota::remaining(Instant now) { return limit_ - std::min(limit_, used(now)); }

Duration DailyQuota::until_reset(Instant now) {
  roll(now);
  return day_ends_ == kNever ? kDay : day_ends_ - now;
}

}  // namespace policies
