// The wall clock, for what others state or compare by theirs (timestamps, the end of a token); it may be set at any
// time, so no duration is measured by it. Any thread.
#pragma once

#include <chrono>

namespace gateway {

// Since 1970-01-01T00:00:00Z.
inline std::chrono::milliseconds wall_now() {
  return std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::system_clock::now().time_since_epoch());
}

}  // namespace gateway
