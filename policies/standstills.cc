#include "policies/standstills.h"

#include <algorithm>

namespace policies {

// The standstill that is over at `now`; empty where the process ran.
Standstills::Stop Standstills::stop_before(Instant now) const {
  if (last_ == kNever || now - last_ <= 4 * beat_) return {};
  return {last_ + beat_, now};
}

void Standstills::beat(Instant now) {
  if (const auto stop = stop_before(now); stop.until > stop.from) stops_[next_++ % stops_.size()] = stop;
  last_ = now;
}

Duration Standstills::within(Instant since, Instant now) const {
  const auto overlap = [&](const Stop& stop) {
    return std::max(Duration(0), std::min(stop.until, now) - std::max(stop.from, since));
  };
  Duration sum = overlap(stop_before(now));
  for (const auto& stop : stops_) sum += overlap(stop);
  return sum;
}

}  // namespace policies
