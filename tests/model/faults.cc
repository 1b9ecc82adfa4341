// Time, and what may go wrong.
#include <algorithm>

#include "tests/model/explorer.h"

namespace model {

void Explorer::faults(const World& world) {
  if (world.seconds > 0 && may_pass(world))
    step(world, {"a second passes"}, [](World& next) {
      --next.seconds;
      next.now += kTick;
      return true;
    });
  server_faults(world);
  if (world.evictions > 0) evictions(world);
  if (world.deposed) demotion(world);
  if (world.crashes > 0)
    for (int r = 0; r < kReplicas; ++r) crash(world, r);
}

namespace {
// A connection ended, and with it the answers to the plain commands on it.
void lose_answers(World& world, int r) {
  for (auto& reader : world.readers)
    if (reader.replica == r && reader.at == Reader::At::Plain)
      reader = {.at = Reader::At::Asking, .replica = r, .floor = reader.floor, .counter = reader.counter};
}

void another_server(World& world, Shared<Server> server) {
  world.redis = std::move(server);
  world.redis.change().run_id = ++world.run_ids;
  for (int r = 0; r < kReplicas; ++r) lose_answers(world, r);
}
}  // namespace

void Explorer::server_faults(const World& world) {
  if (world.restarts > 0)
    step(world, {"REDIS restarts empty"}, [](World& next) {
      --next.restarts;
      another_server(next, Shared(Server{}));
      return true;
    });
  if (world.rollbacks > 0 && !world.copy)
    step(world, {"a replica of Redis lags from here"}, [](World& next) {
      next.copy = next.redis;
      return true;
    });
  if (world.rollbacks > 0 && world.copy)
    step(world, {"REDIS fails over to the older copy"}, [](World& next) {
      --next.rollbacks;
      another_server(next, std::exchange(next.copy, {}));
      return true;
    });
  if (world.standstills > 0 && !world.stands_still)
    step(world, {"REDIS stands still"}, [](World& next) {
      --next.standstills;
      return next.stands_still = true;
    });
  if (world.stands_still)
    step(world, {"REDIS goes on"}, [](World& next) {
      next.stands_still = false;
      return true;
    });
}

void Explorer::evictions(const World& world) {
  for (std::size_t k = 0; k < keys_.size(); ++k)
    step(world, {"Redis evicts surrogate key %d", static_cast<int>(k)}, [&](World& next) {
      --next.evictions;
      next.redis.change().ledger.evict_key(keys_[k]);
      return true;
    });
  step(world, {"Redis evicts the epoch and the log"}, [](World& next) {
    --next.evictions;
    next.redis.change().ledger.evict_epoch();
    next.redis.change().ledger.evict_log();
    return true;
  });
  step(world, {"Redis evicts the epoch"}, [](World& next) {
    --next.evictions;
    next.redis.change().ledger.evict_epoch();
    return true;
  });
  step(world, {"Redis evicts the log"}, [](World& next) {
    --next.evictions;
    next.redis.change().ledger.evict_log();
    return true;
  });
}

// Sentinel has made a copy the master. The old one goes on for whoever is connected to it, until it learns of that.
void Explorer::fail_over(World& world) {
  world.deposed = world.redis;
  world.redis.change().run_id = ++world.run_ids;
  for (auto& replica : world.replicas) replica.at_deposed = true;
}

void Explorer::demotion(const World& world) {
  if (!world.deposed->read_only)
    step(world, {"the old master learns that it is none"},
         [](World& next) { return next.deposed.change().read_only = true; });
  for (int r = 0; r < kReplicas; ++r)
    if (world.replicas[static_cast<std::size_t>(r)].at_deposed)
      step(world, {"r%d connects to the new master", r}, [&](World& next) {
        next.replicas[static_cast<std::size_t>(r)].at_deposed = false;
        lose_answers(next, r);
        return true;
      });
}

// A request at upstream ends within its time limit; everything else may take as long as it likes.
bool Explorer::may_pass(const World& world) const {
  return std::none_of(world.writers.begin(), world.writers.end(), [&](const Writer& writer) {
    return writer.at == Writer::At::InFlight && world.now >= writer.sent + timing().upstream;
  });
}

void Explorer::crash(const World& world, int r) {
  const auto mine = [r](const auto& one) { return one.replica == r; };
  const bool in_flight = std::any_of(world.writers.begin(), world.writers.end(), [&](const Writer& writer) {
    return mine(writer) && writer.at == Writer::At::InFlight;
  });
  for (bool applied : {false, true}) {
    if (applied && !in_flight) continue;
    step(world, {applied ? "r%d CRASHES, its write is applied" : "r%d CRASHES", r}, [&](World& next) {
      --next.crashes;
      next.replicas[static_cast<std::size_t>(r)] = ReplicaState{};
      for (auto& writer : next.writers) {
        if (!mine(writer) || writer.at == Writer::At::Idle) continue;
        if (applied && writer.at == Writer::At::InFlight) ++next.version;
        writer = {.at = Writer::At::Gone};
      }
      for (auto& reader : next.readers)
        if (mine(reader) && reader.at != Reader::At::Idle) reader = {.at = Reader::At::Gone};
      return true;
    });
  }
}

}  // namespace model
