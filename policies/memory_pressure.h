// When the cache gives way and when requests are refused for `server.memory_limit`. Giving memory back to the system
// takes milliseconds, so it rests for a second, unless the cache holds so much by then that it may be what is too much:
// nobody is refused for what the cache could give. Requests are refused from above the limit until under nine tenths of
// it, so that a process at its edge does not change its mind with every request; or until it has not been above it for
// five seconds, so that one which needs more than nine tenths by itself does not refuse for ever. Pure.
#pragma once

#include <cstdint>
#include <optional>

#include "policies/instant.h"

namespace policies {

class MemoryPressure {
 public:
  explicit MemoryPressure(std::uint64_t limit) : limit_(limit) {}  // bytes; 0: none

  bool above(std::uint64_t used) const { return limit_ > 0 && used > limit_; }
  // True: the cache, which holds `cached` bytes, is to give way now.
  bool gives_way(std::uint64_t used, std::uint64_t cached, Instant now) {
    if (!above(used) && !refusing_) return false;
    if (gave_way_ && now - *gave_way_ < kRest && cached < limit_ / kWorthwhile) return false;
    gave_way_ = now;
    return true;
  }
  // True: refuse from now on.
  bool observe(std::uint64_t used, Instant now) {
    if (above(used)) {
      refusing_ = true;
      above_at_ = now;
    } else if (used < limit_ - limit_ / 10 || now - above_at_ >= kCalm) {
      refusing_ = false;
    }
    return refusing_;
  }
  bool refusing() const { return refusing_; }

 private:
  static constexpr std::chrono::seconds kCalm{5}, kRest{1};
  static constexpr std::uint64_t kWorthwhile = 16;  // a sixteenth of the limit
  std::uint64_t limit_;
  Instant above_at_{0};
  std::optional<Instant> gave_way_;
  bool refusing_ = false;
};

}  // namespace policies
