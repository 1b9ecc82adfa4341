// A cap on one client's own rate (`clients[].rate`): the generic cell rate algorithm, a second's worth at once.
// A request over it waits for its turn rather than fails. State machine without a clock; one thread.
#pragma once

#include <algorithm>
#include <optional>

#include "policies/instant.h"

namespace policies {

class ClientRate {
 public:
  explicit ClientRate(double requests_per_second)
      : spacing_(static_cast<Duration::rep>(1e6 / requests_per_second)),
        burst_(std::max(Duration{0}, Duration{1'000'000} - spacing_)) {}

  // Takes the next turn and answers how long to wait for it; takes none and answers nothing where that is over `most`.
  std::optional<Duration> reserve(Instant now, Duration most) {
    const auto wait = wait_for(now);
    if (wait > most) return std::nullopt;
    next_ = std::max(next_, now) + spacing_;
    return wait;
  }

  Duration wait_for(Instant now) const { return std::max(Duration{0}, next_ - now - burst_); }

 private:
  Duration spacing_;
  Duration burst_;
  Instant next_{0};
};

}  // namespace policies
