// A point in time as the policies see it: microseconds since an epoch of the caller's choice. One object is always
// given instants of one epoch (a monotonic clock's, Redis' TIME, a test's zero), and never an earlier one after a later
// one.
#pragma once

#include <chrono>

namespace policies {

using Instant = std::chrono::microseconds;
using Duration = std::chrono::microseconds;

inline constexpr Instant kNever = Instant::max();

}  // namespace policies
