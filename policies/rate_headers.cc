#include "policies/rate_headers.h"

#include <algorithm>
#include <charconv>

namespace policies {

namespace {

constexpr Duration kDay = std::chrono::hours(24);
constexpr std::uint64_t kMost = 1'000'000'000'000'000;  // beyond any limit or moment in milliseconds

std::optional<std::uint64_t> number(const Fields& fields, std::string_view name) {
  const auto value = fields.find(name);
  if (!value || value->empty()) return std::nullopt;
  std::uint64_t parsed = 0;
  const auto [end, error] = std::from_chars(value->data(), value->data() + value->size(), parsed);
  if (error != std::errc{} || end != value->data() + value->size() || parsed > kMost) return std::nullopt;
  return parsed;
}

std::optional<Duration> reset_from_now(std::optional<std::uint64_t> stated, std::chrono::milliseconds now) {
  if (!stated) return std::nullopt;
  const std::chrono::milliseconds given(static_cast<std::int64_t>(*stated));
  constexpr std::chrono::milliseconds kSurelyAMoment{100'000'000'000};  // as a moment 1973, as a duration three years
  const auto from_now = given >= kSurelyAMoment ? std::max(given - now, std::chrono::milliseconds{0}) : given;
  if (from_now > kDay) return std::nullopt;
  return from_now;
}

std::string seconds_up(Duration duration) {
  return std::to_string(std::chrono::ceil<std::chrono::seconds>(std::max(duration, Duration{0})).count());
}

std::string policy_of(std::string_view name, std::uint64_t quota, Duration window) {
  std::string text(name);
  return text.append(";q=").append(std::to_string(quota)).append(";w=").append(seconds_up(window));
}

std::string text_of(std::string_view name, const Left& left) {
  std::string text(name);
  return text.append(";r=").append(std::to_string(left.remaining)).append(";t=").append(seconds_up(left.until_more));
}

}  // namespace

StatedLimits parse_stated_limits(const Fields& fields, std::chrono::milliseconds now) {
  StatedLimits stated;
  stated.max = number(fields, "X-RateLimit-Max");
  stated.remaining = number(fields, "X-RateLimit-Remaining");
  if (stated.max == 0) {  // no limit can be 0 on an answer that came: what is counted under it means nothing either
    stated.max.reset();
    stated.remaining.reset();
  }
  if (const auto milliseconds = number(fields, "X-RateLimit-Interval-Milliseconds");
      milliseconds && *milliseconds > 0) {
    const std::chrono::milliseconds interval(static_cast<std::int64_t>(*milliseconds));
    if (interval <= kDay) stated.interval = interval;
  }
  stated.daily_limit = number(fields, "X-RateLimit-Limit-Daily");
  stated.daily_remaining = number(fields, "X-RateLimit-Daily-Remaining");
  if (stated.daily_limit == 0) {
    stated.daily_limit.reset();
    stated.daily_remaining.reset();
  }
  stated.daily_reset = reset_from_now(number(fields, "X-RateLimit-Daily-Reset"), now);
  return stated;
}

RateLimitFields format_rate_limits(const RateLimit& limit, Left window, std::uint64_t daily_limit, Left day) {
  constexpr std::string_view kWindow = "\"default\"", kDaily = "\"day\"";
  RateLimitFields fields{policy_of(kWindow, limit.requests, limit.interval), {}};
  const bool day_is_shorter = daily_limit > 0 && day.remaining <= window.remaining;
  if (day_is_shorter) fields.policy.append(", ").append(policy_of(kDaily, daily_limit, kDay));
  fields.limit = day_is_shorter ? text_of(kDaily, day) : text_of(kWindow, window);
  return fields;
}

std::string format_queue_timing(Duration waited) {
  const auto tenths = std::max<Duration::rep>(0, waited.count()) / 100;
  return "queue;dur=" + std::to_string(tenths / 10) + "." + std::to_string(tenths % 10);
}

std::string format_retry_after(Duration wait) { return seconds_up(std::max(wait, Duration{1})); }

}  // namespace policies
