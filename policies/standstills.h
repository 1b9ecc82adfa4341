// When this process itself did not run: stopped by a signal or a debugger, its machine suspended, or starved of the
// processor. What took too long meanwhile says nothing about others. Told by beats that should come at a steady pace,
// by a clock that goes on while the machine sleeps. State machine without a clock; owned by one thread.
#pragma once

#include <array>
#include <cstddef>

#include "policies/instant.h"

namespace policies {

class Standstills {
 public:
  // A beat that comes later than four of these after the one before ends a standstill.
  explicit Standstills(Duration beat) : beat_(beat) {}

  void beat(Instant now);
  // How much of the time from `since` to `now` was one, also where the beat that would tell of it is still to come.
  Duration within(Instant since, Instant now) const;

 private:
  struct Stop {
    Instant from{0}, until{0};
  };
  Stop stop_before(Instant now) const;

  Duration beat_;
  Instant last_ = kNever;  // none yet
  std::array<Stop, 8> stops_{};
  std::size_t next_ = 0;
};

}  // namespace policies
