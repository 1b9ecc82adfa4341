#include "policies/rate_share.h"

#include <algorithm>

namespace policies {

namespace {

std::uint64_t part_of_unheld(RateLimit limit, const LostWindow& lost, std::uint64_t parts) {
  const auto taken = lost.own + lost.others;
  return taken < limit.requests ? (limit.requests - taken) / parts : 0;
}

std::uint64_t replicas_of(const LostWindow& lost) { return std::max<std::uint64_t>(1, lost.replicas); }

}  // namespace

std::uint64_t share_cap(RateLimit limit, Duration hold, const LostWindow& lost, Instant now) {
  const auto share = limit.requests / replicas_of(lost);
  if (now >= lost.at + hold + limit.interval) return share;
  return std::min(share, lost.own + part_of_unheld(limit, lost, replicas_of(lost)));
}

std::uint64_t share_at_once(RateLimit limit, const LostWindow& lost) {
  return part_of_unheld(limit, lost, 4 * replicas_of(lost));
}

}  // namespace policies
