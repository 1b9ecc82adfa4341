// "every": when a flow runs by the clock. Time is cut into slots, one run each; the slot is its start. Pure; any
// thread.
#pragma once

#include <chrono>
#include <memory>
#include <optional>
#include <string_view>

#include "policies/flows/zone.h"
#include "policies/timestamp.h"

namespace policies::flows {

class Schedule {
 public:
  // "15m" (from a minute to 31 days; slots begin at multiples of it since 1970) or "03:30" (in `zone`).
  static std::optional<Schedule> parse(std::string_view text, std::shared_ptr<const Zone> zone);

  WallMillis slot_of(WallMillis now) const;  // the latest that has begun
  bool by_time_of_day() const { return time_.has_value(); }

 private:
  std::chrono::milliseconds interval_{0};
  std::optional<Seconds> time_;  // after midnight
  std::shared_ptr<const Zone> zone_;
  WallMillis at_day(std::chrono::sys_days day) const;
};

}  // namespace policies::flows
