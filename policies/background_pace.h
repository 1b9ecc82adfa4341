// How background requests (urgency 4..7) share a window with urgent ones. Left alone, a backlog takes every slot in one
// burst, the slots come back in one burst a window later, and who is urgent in between waits for that, whatever the
// queue's order. So background requests are spread over the window, and look ahead: when slots come back is known an
// interval before, and one is only taken where those that are left and come back in time are enough for urgent requests
// at half of the rate the window gives. Slots that come back evenly cost nothing so; a gap keeps slots for itself.
// State machine without a clock; one thread. Replicas that share a window share `at` (limiter/scripts.cc).
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>

#include "policies/instant.h"
#include "policies/rate_window.h"

namespace policies {

inline constexpr int kLeastUrgent = 3;  // urgency 0..3 is urgent: RFC 9218's default is among them

class BackgroundPace {
 public:
  // So many slots have to be free `after` from now for urgent requests, of `supply` that are free within the interval.
  struct Kept {
    Duration after;
    std::uint64_t slots;
  };
  static std::array<Kept, 5> kept(const RateLimit& limit, std::uint64_t supply) {
    std::array<Kept, 5> all{};
    const std::array<std::uint64_t, 5> sixteenths{0, 1, 2, 4, 8};
    for (std::size_t i = 0; i < all.size(); ++i)
      all[i] = {limit.interval * static_cast<Duration::rep>(sixteenths[i]) / 16 + tolerance(limit),
                1 + (supply * sixteenths[i] + 31) / 32};
    return all;
  }
  // A wait so short is no harm to an urgent request.
  static Duration tolerance(const RateLimit& limit) { return spacing(limit) / 2; }
  // In a small window every slot kept is a large part of it.
  static bool looks_ahead(const RateLimit& limit) { return limit.requests >= 20; }
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
