// How background requests (urgency 4..7) share a window with urgent ones. Left alone, a backlog takes every slot in one
// burst, the slots come back in one burst a window later, and who is urgent in between waits for that, whatever the
// queue's order. So background requests are spread over the window, and leave the last few slots to urgent ones.
// State machine without a clock; one thread. Replicas that share a window share `at` (limiter/scripts.cc).
#pragma once

#include <algorithm>
#include <cstdint>

#include "policies/instant.h"
#include "policies/rate_window.h"

namespace policies {

inline constexpr int kLeastUrgent = 3;  // urgency 0..3 is urgent: RFC 9218's default is among them

class BackgroundPace {
 public:
  // Slots left to urgent requests: two of a hundred. None where that would be more than a twentieth.
  static std::uint64_t kept_free(const RateLimit& limit) {
    return limit.requests < 20 ? 0 : std::max<std::uint64_t>(1, limit.requests / 50);
  }
  // No slower than slots come back, and no faster than they last from one window to the next.
  static Duration spacing(const RateLimit& limit) {
    return limit.interval / static_cast<Duration::rep>(std::max<std::uint64_t>(1, limit.requests));
  }
  // What was not used up lately may go at once: a twentieth of the window.
  static std::uint64_t burst(const RateLimit& limit) { return std::max<std::uint64_t>(1, limit.requests / 20); }
  static Duration credit(const RateLimit& limit) { return spacing(limit) * static_cast<Duration::rep>(burst(limit)); }

  Duration wait(Instant now) const { return std::max(Duration{0}, at_ - now); }
  void granted(const RateLimit& limit, Instant now) { at_ = std::max(at_, now - credit(limit)) + spacing(limit); }
  // Somebody waits and there is no slot: that saves no burst up, only what a late timer costs.
  void lacking(const RateLimit& limit, Instant now) { at_ = std::max(at_, now - 2 * spacing(limit)); }

 private:
  Instant at_ = Instant::min() / 2;  // the next one's turn
};

}  // namespace policies
