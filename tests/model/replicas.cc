// A replica's side of the invalidation log, as gateway/cache/redis_follower.cc drives policies::coherence::Follower.
#include "tests/model/explorer.h"

namespace model {

void Explorer::replica_steps(const World& world, int r) {
  const auto me = static_cast<std::size_t>(r);
  const auto& replica = world.replicas[me];
  // One that is lost is one that never comes: those behind it then tell nothing that a report does not.
  if (!replica.notices.empty())
    step(world, {"r%d gets a log message", r}, [&](World& next) {
      auto& mine = next.replicas[me];
      const auto [epoch, position] = mine.notices.front();
      mine.notices.erase(mine.notices.begin());
      if (mine.follower.report().position + 1 == position &&
          mine.follower.apply(epoch, position) == Follower::Applied::Next)
        ++mine.counter;
      return true;
    });
  if (replica.reply)
    step(world, {"r%d has the report's answer", r}, [&](World& next) { return take_reply(next, r); });
  else if (takes_scripts(world, r) && world.reports != 0)
    step(world, {"r%d reports", r}, [&](World& next) {
      if (next.reports > 0) --next.reports;
      report(next, r);
      return true;
    });
}

void Explorer::report(World& world, int r) const {
  auto& replica = world.replicas[static_cast<std::size_t>(r)];
  auto& server = Explorer::server(world, r).change();
  const auto& name = kNames[static_cast<std::size_t>(r)];
  const auto mine = replica.follower.report();
  auto reported = server.ledger.report(name, mine, run_id(server), world.now, ids(world));
  if (!reported.cut) {
    world.acknowledged[static_cast<std::size_t>(r)] = mine;
    for (auto& writer : world.writers) writer.write.acknowledged(name, mine.epoch, mine.position);
  }
  replica.reply = ReplicaState::Reply{std::move(reported), world.now};
}

bool Explorer::take_reply(World& world, int r) const {
  auto& replica = world.replicas[static_cast<std::size_t>(r)];
  const auto reply = std::move(*replica.reply);
  replica.reply.reset();
  if (replica.follower.lapse(world.now, timing())) ++replica.counter;
  for (const auto& missed : reply.reported.missed)
    if (replica.follower.apply(reply.reported.epoch, missed.position) != Follower::Applied::Known) ++replica.counter;
  if (replica.follower.reported(reply.reported.epoch, reply.reported.renewed, reply.reported.cut, reply.reported.end,
                                reply.sent_at))
    ++replica.counter;
  replica.usable_until = replica.follower.usable_until(timing());
  return true;
}

}  // namespace model
