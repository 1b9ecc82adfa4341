// When requests are refused for `server.memory_limit`: from above the limit until under nine tenths of it, so that a
// process at its edge does not change its mind with every request; or until it has not been above it for five seconds,
// so that one which needs more than nine tenths by itself does not refuse for ever. Pure.
#pragma once

#include <cstdint>

#include "policies/instant.h"

namespace policies {

class MemoryPressure {
 public:
  explicit MemoryPressure(std::uint64_t limit) : limit_(limit) {}  // bytes; 0: none

  bool above(std::uint64_t used) const { return limit_ > 0 && used > limit_; }
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
  static constexpr std::chrono::seconds kCalm{5};
  std::uint64_t limit_;
  Instant above_at_{0};
  bool refusing_ = false;
};

}  // namespace policies
