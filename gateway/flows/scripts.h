// What flows keep in Redis, and every change of it as one atomic Lua step (Redis 7 or later, no cluster: the scripts
// name keys of their own). Nothing here has a time to live but `seen`, so that only a maxmemory-policy of allkeys-*
// could evict it.
//   cg:flows:queue       stream, group "flows": one entry a run that is ready or under way, field r = run
//   cg:flows:run:ID      hash of a run: flow, event, kind, type, source, location, at, body, order, state (queued, due,
//                        waiting, dead), tries, round (how often an operator had it tried again), claims (how many
//                        replicas did not end it); s:STEP = the step's
//                        answer, "?" sent and not known to have ended, "!" the same, but surely over by now; where it
//                        failed: step, field, reason, detail
//   cg:flows:due         sorted set of runs that wait for their next attempt, by time
//   cg:flows:dead        stream of dead letters, field r = run
//   cg:flows:order:KEY   list of the runs that are made one after another; the first is queued, due or under way
//   cg:flows:every       hash: flow -> its last slot, flow/run -> that slot's run
//   cg:flows:seen:EVENT  "FINGERPRINT": this event was taken
// Those that the owner of an entry alone may take are given the entry and the consumer first, and answer 1, or 0 where
// another consumer has claimed it meanwhile.
#pragma once

#include <memory>

#include "gateway/redis/client.h"

namespace gateway::flows::scripts {

using ScriptPtr = std::shared_ptr<const redis::Script>;
// ARGV seen-key fingerprint seen-ms event kind type source location at body, then for each run: id flow order
// -> 1 taken, 0 taken before, -1 taken before with another fingerprint
ScriptPtr enqueue();
// ARGV flow slot run at body -> 1 queued, 0 had its run, 2 its last run is not over
ScriptPtr tick();
// ARGV entry consumer run step value: "?" or the step's answer
ScriptPtr note();
// ARGV entry consumer run
ScriptPtr finish();
// ARGV entry consumer run delay-ms counted step value reason: again later; `value` replaces the step's "?" ("": none)
ScriptPtr park();
// ARGV entry consumer run step field reason detail most -> {1, dropped}: beyond `most` the oldest are dropped
ScriptPtr bury();
// ARGV consumer entry… -> 1 or 0 for each: keeps them its own
ScriptPtr renew();
// ARGV consumer entry…: their runs are not worked on here any more, whoever looks next may claim them
ScriptPtr release();
// ARGV most -> how many of those that are due were queued
ScriptPtr wake();
// -> {queued, due, dead, age of the oldest queued in ms}
ScriptPtr count();
// ARGV consumer idle-ms: consumers that are gone and own nothing
ScriptPtr tidy();
// ARGV most -> for each, the latest first: {run, dead since, flow, event, step, field, reason, tries}
ScriptPtr letters();
// ARGV run ("": all) most -> how many were queued again
ScriptPtr retry();
// ARGV run ("": all) most -> how many were dropped
ScriptPtr drop();

}  // namespace gateway::flows::scripts
