// What a replica itself knows of a location whose window is in Redis: its slots, so that it can go on alone and bring
// them back. RedisStore's; Asio thread only.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <unordered_set>
#include <vector>

#include "gateway/limiter/store.h"
#include "policies/background_pace.h"
#include "policies/daily_quota.h"
#include "policies/rate_share.h"

namespace gateway::limiter {

inline constexpr Instant kLongAgo = Instant::min() / 2;  // differences to it do not overflow

struct Place {
  Place(const Step& step, Duration hold) : window(step.limit, hold), daily({.limit = step.daily_limit}) {}
  policies::RateWindow window;
  policies::DailyQuota daily;
  policies::BackgroundPace pace;                     // alone
  std::unordered_set<std::uint64_t> granted_shared;  // under way, and Redis knows them
  std::vector<std::uint64_t> ended, unsent;          // to be reported (again)
  std::uint64_t taken = 0;                           // by everybody, in the last reply
  Instant taken_at = kLongAgo;
  policies::LostWindow lost;
  std::uint64_t at_once = 0;   // left of policies::share_at_once()
  std::string epoch;           // whose shared window has our slots
  std::string reserved_epoch;  // whose shared window has our reservations
  std::uint64_t reservations = 0;
  Instant reserved_at = kLongAgo;
  std::int64_t counted_alone = 0;  // of the day, and not in the shared count; below 0: given back since
  // What is being added to the shared count, told again until there is a reply.
  std::uint64_t report = 0;
  std::int64_t reported = 0;
  bool busy = false;  // Redis is being told of it: one script at a time
};

class Turn {
 public:
  explicit Turn(std::shared_ptr<Place> place) : place_(std::move(place)) { place_->busy = true; }
  ~Turn() { place_->busy = false; }
  Turn(const Turn&) = delete;
  Turn& operator=(const Turn&) = delete;

 private:
  std::shared_ptr<Place> place_;
};

}  // namespace gateway::limiter
