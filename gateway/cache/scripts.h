// The coherence contract's steps in Redis (Lua, one atomic step each): what policies::coherence::Ledger does in a
// process. Redis 7 or later: the book-keeping scripts are marked allow-oom, since a full Redis must still be able to
// invalidate.
//   cg:epoch       hash: epoch, run (the server's run_id), since, end (the log's), until (when the last lease runs out;
//                  absent: all were given back), r:ID -> "LEASE_UNTIL POSITION" for each replica.
//                  One key on purpose: whatever evicts the leases evicts the epoch, and a new epoch holds writers for
//                  one lease time.
//   cg:log         stream: entry POSITION-0, fields at, keys (netstrings)
//   cg:s:KEY       hash of a surrogate key: g (generation), m:WRITE -> until (pending marks)
//   cg:e:KEY       hash of an entry: s (stamp "EPOCH GENERATION …"), d (codec.h)
//   cg:f:KEY       who fetches KEY now, a token; with a '+' behind it another replica waits to be told of its end
// Channels: cg:log "EPOCH POSITION KEYS", cg:ack "EPOCH POSITION REPLICA", cg:done "KEY".
#pragma once

#include <memory>

#include "gateway/redis/client.h"

namespace gateway::cache::scripts {

using ScriptPtr = std::shared_ptr<const redis::Script>;
// KEYS epoch log entry flight surrogate…; ARGV run new-epoch flight-token new-generations
// -> {epoch, now, leads, data or nil, generation…, mark…}: as many generations as surrogates. A new generation is the
// last argument, a random number below 2^52, and the three digits of its place behind it.
ScriptPtr look_up();
// KEYS entry flight; ARGV token stamp data lifetime-ms cache-key: stores and lands; an empty stamp only lands
ScriptPtr finish();
// KEYS epoch log surrogate…; ARGV run new-epoch write mark-ms generation-ms netstrings new-generation… -> {epoch,
// position, age, live…}
ScriptPtr begin();
// KEYS epoch log surrogate…; ARGV run new-epoch write began-in keep-ms… -> 1 where every mark was held
ScriptPtr end();
// KEYS epoch log; ARGV run new-epoch replica epoch position lease-ms grace-ms -> {epoch, renewed, cut, end, position,
// keys, …}
ScriptPtr report();
// KEYS epoch log; ARGV run new-epoch replica: gives its lease back
ScriptPtr leave();
// KEYS epoch log; ARGV run new-epoch -> {epoch, 0, age of the old one, live…}: who must drop everything
ScriptPtr renew_epoch();
// KEYS flight…; ARGV ms token…: keeps what this replica fetches its own
ScriptPtr extend();

}  // namespace gateway::cache::scripts
