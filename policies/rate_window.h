// The exact sliding window of one app and location (README, "Rate limits"): at the upstream no interval of W holds more
// than N arrivals. An arrival lies anywhere between grant and end, so a slot is free again W after its request *ended*:
// two arrivals through one slot are then at least W apart, whatever the network did to either.
//
// State machine without a clock; owned by one thread. Permits are named by the caller's ids, never reused.
// A permit whose end is never reported returns `hold` + W after its grant. What is asked at each step costs O(log n) or
// less, however many slots the window has; an end out of order moves those after it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <unordered_map>

#include "policies/instant.h"
#include "policies/timed_queue.h"

namespace policies {

struct RateLimit {
  std::uint64_t requests = 100;   // N
  Duration interval{10'000'000};  // W
  bool operator==(const RateLimit&) const = default;
};

// The limit to keep when the upstream states one that differs from the configured: both hold, at the slower of their
// two rates. A configured limit that already keeps within the stated one stays as it is.
RateLimit stricter(RateLimit configured, RateLimit stated);

class RateWindow {
 public:
  using Id = std::uint64_t;

  // `hold`: how long a request can take (upstream.timeout).
  RateWindow(RateLimit limit, Duration hold);

  bool try_grant(Id id, Instant now);  // false: no slot is free, or the location is paused
  void record(Id id, Instant now);     // a permit granted elsewhere: it takes a slot even over the limit
  void ended(Id id, Instant now);      // also of one given up as abandoned: its slot is taken again for W
  void unsent(Id id);                  // nothing left for the upstream: the slot is free at once

  void set_limit(RateLimit limit);       // a longer W lengthens the slots that are already waiting for theirs
  void set_cap(std::uint64_t requests);  // at most so many of N (a replica's share); more than N: no cap
  const RateLimit& limit() const { return limit_; }

  // X-RateLimit-Remaining of an answer just seen: when it is lower than believed, the difference is taken for W.
  // Returns the slots so taken.
  std::uint64_t believe_remaining(std::uint64_t remaining, Instant now);

  void pause_until(Instant until);  // no grants before; a shorter pause never ends a longer one
  Instant paused_until() const { return paused_until_; }

  std::uint64_t available(Instant now);  // grants possible now, the pause left aside
  std::uint64_t occupied(Instant now);
  // Slots that are free at `then` if nothing more is granted and no request under way ends; counted up to `enough`.
  std::uint64_t free_by(Instant now, Instant then, std::uint64_t enough);
  std::uint64_t supply(Instant now);  // the same within the interval
  std::size_t in_flight() const { return in_flight_.size(); }
  bool under_way(Id id) const { return permits_.contains(id); }  // granted, and no end reported yet

  // When the k-th grant from now (0: the next) can come at the earliest, if every request under way and to come takes
  // `typical` (0 gives a lower bound). kNever under a cap of 0.
  Instant next_free(Instant now, std::uint64_t k, Duration typical = {});

  // Every taken slot with the instant it is free by rule, for a store that has to learn of them; id 0: no permit of
  // ours.
  void each_slot(Instant now, const std::function<void(Id, Instant free_at)>& visit);

 private:
  std::uint64_t ceiling() const;
  void drop_expired(Instant now);

  RateLimit limit_;
  Duration hold_;
  std::uint64_t cap_ = ~std::uint64_t{0};
  Instant paused_until_ = Instant::min();
  struct Permit {
    Instant granted{0};
    Instant free_at = kNever;  // of one taken for ended: its place in cooling_
  };
  std::unordered_map<Id, Permit> permits_;  // whose end was not reported yet
  TimedQueue in_flight_;                    // by grant: the oldest is abandoned first
  TimedQueue cooling_;                      // ended, abandoned or phantom, by the instant their slot is free
};

}  // namespace policies
