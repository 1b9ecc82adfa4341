// The requests of one day for an app and location (200,000 by default): counted, corrected by what the upstream states,
// the last part kept for urgent requests. A day ends when the upstream says so, else 24 h after its first request.
// State machine without a clock; owned by one thread. Where replicas share the count, the shared one is set().
#pragma once

#include <cstdint>
#include <optional>

#include "policies/background_pace.h"
#include "policies/instant.h"

namespace policies {

class DailyQuota {
 public:
  struct Options {
    std::uint64_t limit = 200'000;  // 0: no quota
    double reserve = 0.05;          // the share of the limit kept for urgency 0..3
  };
  explicit DailyQuota(Options options) : options_(options), limit_(options.limit) {}

  // Another quota from now on; the day's count stays.
  void configure(Options options) {
    if (limit_ == options_.limit) limit_ = options.limit;  // else the upstream has stated its own
    options_ = options;
  }

  // Nothing when a request of that urgency may go; else the time until the day ends.
  std::optional<Duration> refusal(int urgency, Instant now);
  // How high the count may be for a request of that urgency to go.
  std::uint64_t ceiling(int urgency) const;

  void count(Instant now);  // one request granted
  void uncount();           // it was never sent

  // From an answer: X-RateLimit-Limit-Daily, -Daily-Remaining, -Daily-Reset. `recent`: requests counted here that
  // the upstream may not have seen when it answered: under way, or answered before this answer was read. Fewer
  // remaining than believed is believed; more only beyond what those explain.
  void correct(std::optional<std::uint64_t> limit, std::optional<std::uint64_t> remaining,
               std::optional<Duration> until_reset, std::uint64_t recent, Instant now);
  void set(std::uint64_t used, Duration until_reset, Instant now);  // the shared count

  std::uint64_t limit() const { return limit_; }
  std::uint64_t used(Instant now);
  std::uint64_t remaining(Instant now);
  Duration until_reset(Instant now);

 private:
  void roll(Instant now);

  Options options_;
  std::uint64_t limit_;
  std::uint64_t used_ = 0;
  Instant day_ends_ = kNever;  // kNever: no request yet
};

}  // namespace policies
