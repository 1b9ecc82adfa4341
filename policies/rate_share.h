// What one replica may still spend while it cannot reach the Redis that shares the window: slots it
// held and no others at first, down or up to N divided by the replicas last known.
#pragma once

#include <cstdint>

#include "policies/instant.h"
#include "policies/rate_window.h"

namespace policies {

// What was known when the shared window was lost.
struct LostWindow {
  Instant at{0};
  std::uint64_t replicas = 1;  // live ones, this one included
  std::uint64_t own = 0;       // slots this replica held
  std::uint64_t others = 0;    // slots everybody else held in the last reply
};

// The cap on this replica's slots at `now`. Until `hold` + W after the loss another replica may still hold more than
// its share, so a replica below its own only adds its part of what nobody held in the last reply; afterwards every slot
// from before the loss has returned, and everyone may use a full share. More replicas than N leave a share of none.
std::uint64_t share_cap(RateLimit limit, Duration hold, const LostWindow& lost, Instant now);

// What it may take at once, before it is clear that Redis is lost to all: a quarter of what share_cap() would add to
// its own, and at least one where that adds any. Its own slots that come free meanwhile are not part of it: where Redis
// lives, others take those.
std::uint64_t share_at_once(RateLimit limit, const LostWindow& lost);

}  // namespace policies
