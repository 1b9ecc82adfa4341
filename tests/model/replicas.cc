// A replica's side of the invalidation log, as gateway/cache/redis_follower.cc drives policies::coherence::Follower.
#include "tests/model/explorer.h"

namespace model {

void Explorer::replica_steps(const World& world, int r) {
  const auto& replica = world.replicas[static_cast<std::size_t>(r)];
  const std::string name = kNames[static_cast<std::size_t>(r)];
  if (!replica.notices.empty()) {
    step(world, name + " gets a log message", [&, r](World& next) {
      auto& mine = next.replicas[static_cast<std::size_t>(r)];
      const auto [epoch, position] = mine.notices.front();
      mine.notices.erase(mine.notices.begin());
      if (mine.follower.report().position + 1 == position &&
          mine.follower.apply(epoch, position) == Follower::Applied::Next)
        ++mine.counter;
      return true;
    });
    step(world, name + " loses its log messages", [&, r](World& next) {
      next.replicas[static_cast<std::size_t>(r)].notices.clear();
      return true;
    });
  }
  if (!replica.reply && world.reports > 0)
    step(world, name + " reports", [&, r](World& next) {
      --next.reports;
      report(next, r);
      return true;
    });
  else if (replica.reply)
    step(world, name + " has the report's answer", [&, r](World& next) {
      take_reply(next, r);
      return true;
    });
}

void Explorer::report(World& world, int r) {
  auto& replica = world.replicas[static_cast<std::size_t>(r)];
  const auto mine = replica.follower.report();
  auto reported = world.redis.report(kNames[static_cast<std::size_t>(r)], mine, run_id(world), world.now, ids(world));
  if (!reported.cut) {
    world.acknowledged[static_cast<std::size_t>(r)] = mine;
    for (auto& writer : world.writers)
      writer.write.acknowledged(kNames[static_cast<std::size_t>(r)], mine.epoch, mine.position);
  }
  replica.reply = ReplicaState::Reply{std::move(reported), world.now};
}

void Explorer::take_reply(World& world, int r) {
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
}

}  // namespace model
