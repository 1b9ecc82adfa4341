// Time, and what may go wrong.
#include <algorithm>

#include "tests/model/explorer.h"

namespace model {

void Explorer::faults(const World& world) {
  if (world.seconds > 0 && may_pass(world))
    step(world, "a second passes", [](World& next) {
      --next.seconds;
      next.now += milliseconds(1000);
      return true;
    });
  if (world.restarts > 0)
    step(world, "REDIS restarts empty", [](World& next) {
      --next.restarts;
      ++next.run_id;
      next.redis = Ledger(timing());
      next.entry.reset();
      return true;
    });
  if (world.rollbacks > 0 && !world.copy)
    step(world, "a replica of Redis lags from here", [](World& next) {
      next.copy.emplace(next.redis, next.entry);
      return true;
    });
  if (world.rollbacks > 0 && world.copy)
    step(world, "REDIS fails over to the older copy", [](World& next) {
      --next.rollbacks;
      ++next.run_id;
      next.redis = next.copy->first;
      next.entry = next.copy->second;
      next.copy.reset();
      return true;
    });
  if (world.evictions > 0) {
    step(world, "Redis evicts the surrogate key", [](World& next) {
      --next.evictions;
      next.redis.evict_key("k");
      return true;
    });
    step(world, "Redis evicts the epoch", [](World& next) {
      --next.evictions;
      next.redis.evict_epoch();
      next.redis.evict_log();
      return true;
    });
    step(world, "Redis evicts the log", [](World& next) {
      --next.evictions;
      next.redis.evict_log();
      return true;
    });
  }
  if (world.crashes > 0)
    for (int r = 0; r < kReplicas; ++r) crash(world, r);
}

// A request at upstream ends within its time limit; everything else may take as long as it likes.
bool Explorer::may_pass(const World& world) {
  return std::none_of(world.writers.begin(), world.writers.end(), [&](const Writer& writer) {
    return writer.at == Writer::At::InFlight && world.now >= writer.sent + timing().upstream;
  });
}

void Explorer::crash(const World& world, int r) {
  for (bool applied : {false, true}) {
    const bool in_flight = std::any_of(world.writers.begin(), world.writers.end(), [&](const Writer& writer) {
      return writer.replica == r && writer.at == Writer::At::InFlight;
    });
    if (applied && !in_flight) continue;
    step(world, kNames[static_cast<std::size_t>(r)] + " CRASHES" + (applied ? ", its write is applied" : ""),
         [&, r, applied](World& next) {
           --next.crashes;
           next.replicas[static_cast<std::size_t>(r)] = ReplicaState{};
           for (auto& writer : next.writers) {
             if (writer.replica != r || writer.at == Writer::At::Idle || writer.at == Writer::At::Answered) continue;
             if (applied && writer.at == Writer::At::InFlight) ++next.version;
             writer.at = Writer::At::Dead;
           }
           for (auto& reader : next.readers)
             if (reader.replica == r && reader.at != Reader::At::Idle && reader.at != Reader::At::Done)
               reader.at = Reader::At::Dead;
           return true;
         });
  }
}

}  // namespace model
