// The rate-limit fields of both sides: what the upstream's answers state (X-RateLimit-*, FACTS), and what our answers
// tell the client (draft-ietf-httpapi-ratelimit-headers-08, Server-Timing). Pure functions.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "policies/fields.h"
#include "policies/instant.h"
#include "policies/rate_window.h"

namespace policies {

// What an answer stated; a value that is no number, or out of all reason, is as if absent.
struct StatedLimits {
  std::optional<std::uint64_t> max;        // X-RateLimit-Max, at least 1
  std::optional<std::uint64_t> remaining;  // X-RateLimit-Remaining
  std::optional<Duration> interval;        // X-RateLimit-Interval-Milliseconds, 1 ms to a day
  std::optional<std::uint64_t> daily_limit, daily_remaining;
  std::optional<Duration> daily_reset;  // from now; the field's number may also be the moment itself since 1970
};
// `now`: since 1970 UTC.
StatedLimits parse_stated_limits(const Fields& fields, std::chrono::milliseconds now);

// Both headers' values for the location's budget: `"default";q=100;w=10` and `"default";r=50;t=3`. Seconds are rounded
// up.
std::string format_rate_limit_policy(const RateLimit& limit);
std::string format_rate_limit(std::uint64_t remaining, Duration until_more);

// A Server-Timing entry: `queue;dur=12.5`, in milliseconds.
std::string format_queue_timing(Duration waited);

// Retry-After in whole seconds, rounded up, at least 1.
std::string format_retry_after(Duration wait);

}  // namespace policies
