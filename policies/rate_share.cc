#include "policies/rate_share.h"

#include <algorithm>

namespace policies {

std::uint64_t share_cap(RateLimit limit, Duration hold, const LostWindow& lost, Instant now) {
  const auto replicas = std::max<std::uint64_t>(1, lost.replicas);
  const auto share = limit.requests / replicas;
  if (now >= lost.at + hold + limit.interval) return share;
  const auto taken = lost.own + lost.others;
  const auto unheld = taken < limit.requests ? limit.requests - taken : 0;
  return std::min(share, lost.own + unheld / replicas);
}

}  // namespace policies
