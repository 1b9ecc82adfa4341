#include "policies/rate_share.h"

#include <algorithm>

namespace policies {

namespace {

std::uint64_t replicas_of(const LostWindow& lost) { return std::max<std::uint64_t>(1, lost.replicas); }

std::uint64_t part_of_unheld(RateLimit limit, const LostWindow& lost) {
  const auto taken = lost.own + lost.others;
  return taken < limit.requests ? (limit.requests - taken) / replicas_of(lost) : 0;
}

}  // namespace

std::uint64_t share_cap(RateLimit limit, Duration hold, const LostWindow& lost, Instant now) {
  const auto share = limit.requests / replicas_of(lost);
  if (now >= lost.at + hold + limit.interval) return share;
  return std::min(share, lost.own + part_of_unheld(limit, lost));
}

std::uint64_t share_at_once(RateLimit limit, const LostWindow& lost) {
  const auto part = part_of_unheld(limit, lost);
  return part == 0 ? 0 : std::max<std::uint64_t>(1, part / 4);
}

}  // namespace policies
