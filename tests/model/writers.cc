// A writer's steps, as gateway/cache/writes.cc drives policies::coherence::Write.
#include "tests/model/explorer.h"

namespace model {

using At = Writer::At;

void Explorer::writer_steps(const World& world, std::size_t i) {
  switch (world.writers[i].at) {
    case At::Idle:
      return arrivals(world, i);
    case At::Begun:
      return step(world, {"write %d has the begin script's answer", static_cast<int>(i)},
                  [&](World& next) { return begun(next, i); });
    case At::Driving:
      return drive(world, i);
    case At::InFlight:
    case At::Applied:
    case At::Answering:
      return upstream_steps(world, i);
    case At::Late:
      return late(world, i);
    case At::Gone:
      return;
  }
}

void Explorer::arrivals(const World& world, std::size_t i) {
  for (int r = 0; r < kReplicas; ++r) {
    // What a replica does that alone cannot reach Redis' master is unfenced, and no part of the promise (README).
    if (world.replicas[static_cast<std::size_t>(r)].at_deposed) continue;
    if (!world.stands_still)
      step(world, {"write %d arrives at r%d, begin script", static_cast<int>(i), r}, [&](World& next) {
        next.writers[i].replica = r;
        begin_script(next, i);
        return true;
      });
    else
      step(world,
           {"write %d arrives at r%d, which finds that Redis does not answer, and sends it", static_cast<int>(i), r},
           [&](World& next) {
             auto& writer = next.writers[i];
             writer.replica = r;
             writer.fenced = false;
             writer.at = At::InFlight;
             writer.sent = next.now;
             ++next.replicas[static_cast<std::size_t>(r)].counter;
             return true;
           });
  }
}

std::string Explorer::key(std::size_t i) const { return keys_[i % keys_.size()]; }
WriteId Explorer::mark(std::size_t i) const { return without(Without::MarkSet) ? 1 : i + 1; }

void Explorer::begin_script(World& world, std::size_t i) const {
  auto& writer = world.writers[i];
  auto& server = Explorer::server(world, writer.replica).change();
  auto& ledger = server.ledger;
  const std::vector<std::string> keys{key(i)};
  // Without new generations: marks and log as ever, the generation as it was.
  const auto old = without(Without::Generation) ? ledger.look_up(keys, run_id(server), world.now, ids(world)) : View{};
  const auto fresh = without(Without::Generation) ? Ids([&] { return old.generations[0]; }) : ids(world);
  writer.begun = ledger.begin(keys, mark(i), run_id(server), world.now, fresh);
  if (without(Without::PendingMark))
    ledger.end({{key(i), milliseconds(0)}}, mark(i), writer.begun.epoch, run_id(server), world.now, ids(world));
  for (auto& replica : world.replicas) replica.notices.emplace_back(writer.begun.epoch, writer.begun.position);
  writer.at = At::Begun;
}

bool Explorer::begun(World& world, std::size_t i) const {
  auto& writer = world.writers[i];
  ++world.replicas[static_cast<std::size_t>(writer.replica)].counter;
  auto answer = std::exchange(writer.begun, {});
  if (without(Without::Acknowledgement)) answer.live.clear();
  if (without(Without::Quarantine)) answer.epoch_age = timing().lease;
  writer.write.begun(answer, kNames[static_cast<std::size_t>(writer.replica)], world.now, timing());
  for (std::size_t r = 0; r < kReplicas; ++r)
    writer.write.acknowledged(kNames[r], world.acknowledged[r].epoch, world.acknowledged[r].position);
  writer.at = At::Driving;
  return true;
}

void Explorer::drive(const World& world, std::size_t i) {
  const auto& writer = world.writers[i];
  const int me = static_cast<int>(i);
  switch (writer.write.step()) {
    case Write::Step::Begin:
      if (takes_scripts(world, writer.replica))
        step(world, {"write %d begins once more", me}, [&](World& next) {
          next.writers[i].again = true;
          begin_script(next, i);
          return true;
        });
      else
        late(world, i);
      return;
    case Write::Step::Await:
      if (writer.write.may_proceed(world.now)) waited(world, i);
      return;
    case Write::Step::Send:
    case Write::Step::End:
    case Write::Step::Answer:
      return;  // waited() and upstream_steps() go on to them
  }
}

// What needs nobody else is done with what follows it: a step more would only be the same states twice.
void Explorer::waited(const World& world, std::size_t i) {
  const auto& writer = world.writers[i];
  if (!writer.fenced || writer.again) return end_step(world, i, "write %d has waited enough, end script once more");
  step(world, {"write %d has waited enough and goes upstream", static_cast<int>(i)}, [&](World& next) {
    next.writers[i].write.proceed();
    next.writers[i].at = At::InFlight;
    next.writers[i].sent = next.now;
    return true;
  });
}

void Explorer::upstream_steps(const World& world, std::size_t i) {
  const auto& writer = world.writers[i];
  const int me = static_cast<int>(i);
  if (writer.at == At::InFlight)
    step(world, {"write %d is applied upstream", me}, [&](World& next) {
      next.writers[i].version = ++next.version;
      next.writers[i].at = At::Applied;
      next.writers[i].sent = {};
      return true;
    });
  else if (writer.at == At::Applied && writer.fenced)
    end_step(world, i, "write %d has upstream's answer, end script");
  else if (writer.at == At::Applied)
    step(world, {"write %d has upstream's answer", me}, [&](World& next) {
      next.writers[i].at = At::Late;
      next.writers[i].late_until = next.now + (without(Without::LateFence) ? kTick * 0 : timing().lease);
      return true;
    });
  else
    step(world, {"write %d is ANSWERED, version %d", me, writer.version}, [&](World& next) {
      next.answered = std::max(next.answered, writer.version);
      next.writers[i] = {.at = At::Gone};
      return true;
    });
}

bool Explorer::end_script(World& world, std::size_t i) const {
  auto& writer = world.writers[i];
  auto& server = Explorer::server(world, writer.replica).change();
  const bool held = server.ledger.end({{key(i), milliseconds(0)}}, mark(i), writer.write.began_in(), run_id(server),
                                      world.now, ids(world));
  return held || without(Without::EndCheck) || without(Without::PendingMark);
}

// What the end script says a second time is not asked: the new marks have done their work.
void Explorer::end_step(const World& world, std::size_t i, const char* text) {
  if (!takes_scripts(world, world.writers[i].replica)) return late(world, i);
  step(world, {text, static_cast<int>(i)}, [&](World& next) {
    auto& writer = next.writers[i];
    const bool first = writer.at == At::Applied;
    if (first)
      writer.write.answered(false);
    else
      writer.write.proceed();
    const bool held = end_script(next, i);
    writer.write.ended(held);
    writer.at = held || !first ? At::Answering : At::Driving;
    return true;
  });
}

// Redis does not answer, or did not before the write was sent: Writes::fence_late().
void Explorer::late(const World& world, std::size_t i) {
  const auto& writer = world.writers[i];
  const int me = static_cast<int>(i);
  if (writer.at != At::Late)
    step(world, {"write %d finds that Redis does not answer", me}, [&](World& next) {
      auto& lost = next.writers[i];
      if (std::exchange(lost.fenced, false)) lost.late_until = next.now + timing().lease;
      lost.at = At::Late;
      lost.write = {};
      return true;
    });
  else if (takes_scripts(world, writer.replica))
    step(world, {"write %d begins late", me}, [&](World& next) {
      begin_script(next, i);
      return true;
    });
  if (writer.at == At::Late && world.now >= writer.late_until && (world.stands_still || without(Without::LateFence)))
    step(world, {"write %d has asked Redis for long enough", me}, [&](World& next) {
      next.writers[i].at = At::Answering;
      ++next.replicas[static_cast<std::size_t>(writer.replica)].counter;
      return true;
    });
}

}  // namespace model
