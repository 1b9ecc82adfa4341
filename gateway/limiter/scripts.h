// The limiter's Lua scripts (Redis 7 and later). A location has three keys: `slots`, a sorted set of taken slots by the
// moment they are free; `counted`, a hash of slots that have no id, as "how many, until when" by the reason: a
// replica's reservations, what the upstream stated to be taken; `state`, a hash of its pause and daily count
// (`unexplained`: requests of the day that only the upstream's own count has shown). `epoch` says which life of the
// data this is; `replicas` is the table of leases. Moments are microseconds of Redis' own TIME, written in full (Lua's
// tostring would round them). No script's time grows with the limit: it is that of what it is told of (redis_store.cc
// sends a thousand at most), of a thousand slots that are free, and of a hundred groups in `counted` and one for each
// replica.
#pragma once

#include <memory>

#include "gateway/redis/client.h"

namespace gateway::limiter {

struct Scripts {
  // One step. KEYS: slots, counted, state, epoch, replicas. ARGV: nonce, replica, N, W us, hold us, remaining or -1,
  // pause us, daily limit, daily remaining or -1, daily reset us or -1, whether those compare with ours, ended, unsent,
  // asks (their numbers), how many of the asks are urgent, the spacing us, credit us and tolerance us (-1: no looking
  // ahead) of the rest and how far it may use the day, then the ids. Answers: 0 for another epoch; else granted, taken,
  // next free, all free, paused, daily used, daily reset, next background, live replicas.
  std::shared_ptr<const redis::Script> step;
  // Takes back one replica's slots. KEYS: slots, counted, state, epoch. ARGV: nonce, replica, keep us, how long
  // reservations last us, reservations (-1: as they are), daily used as known, counted alone, daily reset us, the
  // number of that report (the same for one that is told again), then pairs of id and us left. Answers 1; 0 for another
  // epoch; 2 for reservations after the quarantine.
  std::shared_ptr<const redis::Script> take_back;
  // Renews a replica's lease and agrees on the epoch. KEYS: epoch, replicas. ARGV: a new nonce, run id, the nonce lived
  // in before (empty: none), replica, lease us, quarantine us, whether it granted alone since, the replicas it knew,
  // whether its reservations are written. Answers: nonce, us left of the quarantine, live
  // replicas.
  std::shared_ptr<const redis::Script> join;
};
const Scripts& scripts();

}  // namespace gateway::limiter
