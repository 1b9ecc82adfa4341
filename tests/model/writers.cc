// A writer's steps, as gateway/cache/writes.cc drives policies::coherence::Write.
#include "tests/model/explorer.h"

namespace model {

void Explorer::writer_steps(const World& world, std::size_t i) {
  const auto& writer = world.writers[i];
  const std::string name = "write " + std::to_string(i);
  using At = Writer::At;
  if (writer.at == At::Idle) {
    for (int r = 0; r < kReplicas; ++r)
      step(world, name + " arrives at r" + std::to_string(r) + ", begin script", [&, r](World& next) {
        next.writers[i].replica = r;
        return begin_script(next, i);
      });
  } else if (writer.at == At::Begun) {
    step(world, name + " has the begin script's answer", [&](World& next) { return begun(next, i); });
  } else if (writer.at == At::Driving) {
    drive(world, i, name);
  } else if (writer.at == At::InFlight) {
    step(world, name + " is applied upstream", [&](World& next) {
      next.writers[i].version = ++next.version;
      next.writers[i].at = At::Applied;
      return true;
    });
  } else if (writer.at == At::Applied) {
    step(world, name + " has upstream's answer", [&](World& next) {
      next.writers[i].write.answered(false);
      next.writers[i].at = At::Driving;
      return true;
    });
  }
}

bool Explorer::begin_script(World& world, std::size_t i) {
  auto& writer = world.writers[i];
  if (without(Without::Generation)) {
    // Marks and log as ever, the generation as it was.
    const auto old = world.redis.look_up(kKeys, run_id(world), world.now, ids(world));
    writer.begun = world.redis.begin(kKeys, i + 1, run_id(world), world.now, [&] { return old.generations[0]; });
  } else {
    writer.begun = world.redis.begin(kKeys, i + 1, run_id(world), world.now, ids(world));
  }
  if (without(Without::PendingMark))
    world.redis.end({{"k", milliseconds(0)}}, i + 1, writer.begun.epoch, run_id(world), world.now, ids(world));
  for (auto& replica : world.replicas) replica.notices.emplace_back(writer.begun.epoch, writer.begun.position);
  writer.at = Writer::At::Begun;
  return true;
}

bool Explorer::begun(World& world, std::size_t i) {
  auto& writer = world.writers[i];
  ++world.replicas[static_cast<std::size_t>(writer.replica)].counter;
  auto answer = writer.begun;
  if (without(Without::Acknowledgement)) answer.live.clear();
  if (without(Without::Quarantine)) answer.epoch_age = timing().lease;
  writer.write.begun(answer, kNames[static_cast<std::size_t>(writer.replica)], world.now, timing());
  for (std::size_t r = 0; r < kReplicas; ++r)
    writer.write.acknowledged(kNames[r], world.acknowledged[r].epoch, world.acknowledged[r].position);
  writer.at = Writer::At::Driving;
  return true;
}

void Explorer::drive(const World& world, std::size_t i, const std::string& name) {
  const auto& writer = world.writers[i];
  switch (writer.write.step()) {
    case Write::Step::Begin:
      step(world, name + " begins once more", [&](World& next) { return begin_script(next, i); });
      break;
    case Write::Step::Await:
      if (writer.write.may_proceed(world.now))
        step(world, name + " has waited enough", [&](World& next) {
          next.writers[i].write.proceed();
          return true;
        });
      break;
    case Write::Step::Send:
      step(world, name + " goes upstream", [&](World& next) {
        next.writers[i].at = Writer::At::InFlight;
        next.writers[i].sent = next.now;
        return true;
      });
      break;
    case Write::Step::End:
      step(world, name + " end script", [&](World& next) {
        auto& ending = next.writers[i];
        bool held =
            next.redis.end({{"k", milliseconds(0)}}, i + 1, ending.write.began_in(), run_id(next), next.now, ids(next));
        if (without(Without::EndCheck) || without(Without::PendingMark)) held = true;
        ending.write.ended(held);
        return true;
      });
      break;
    case Write::Step::Answer:
      step(world, name + " is ANSWERED, version " + std::to_string(writer.version), [&](World& next) {
        next.writers[i].at = Writer::At::Answered;
        next.answered = std::max(next.answered, next.writers[i].version);
        return true;
      });
      break;
  }
}

}  // namespace model
