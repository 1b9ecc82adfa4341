// The rate-limit fields of both sides: what the upstream's answers state (X-RateLimit-*), and what our answers
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

// What is left of a budget, and when there will be more.
struct Left {
  std::uint64_t remaining = 0;
  Duration until_more{0};
};
// Both headers' values: `"default";q=100;w=10` and `"default";r=50;t=3`. Where less is left of the day than of the
// window (limit 0: no quota) they are `"default";q=100;w=10, "day";q=200000;w=86400` and `"day";r=0;t=3600`: what
// keeps a client waiting is told. Seconds are rounded up.
struct RateLimitFields {
  std::string policy, limit;
};
RateLimitFields format_rate_limits(const RateLimit& limit, Left window, std::uint64_t daily_limit, Left day);

// A Server-Timing entry: `queue;dur=12.5`, in milliseconds.
std::string format_queue_timing(Duration waited);

// Retry-After (RFC 9110 section 10.2.3) in whole seconds, rounded up, at least 1.
std::string format_retry_after(Duration wait);

}  // namespace policies
