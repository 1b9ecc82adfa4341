#include "tests/model/world.h"

#include <algorithm>
#include <array>
#include <cstdio>

#include "tests/model/explorer.h"

namespace model {

Explorer::Explorer(const Bounds& bounds) : bounds_(bounds) {
  for (int key = 0; key < bounds.keys; ++key) keys_.push_back("k" + std::to_string(key));
}

Found Explorer::run() {
  start();
  while (!open_.empty() && !over()) {
    auto& next = bounds_.shortest ? open_.front() : open_.back();
    const World world = std::move(next.world);
    at_ = next.node;
    bounds_.shortest ? open_.pop_front() : open_.pop_back();
    expand(world);
  }
  found_.states = visited_.size();
  return std::move(found_);
}

// Both replicas have joined long ago and reported ever since; if full, memory and Redis hold the first version: the
// start from which staleness is near.
void Explorer::start() {
  World world;
  world.restarts = bounds_.restarts;
  world.rollbacks = bounds_.rollbacks;
  world.crashes = bounds_.crashes;
  world.evictions = bounds_.evictions;
  world.standstills = bounds_.standstills;
  world.seconds = bounds_.seconds;
  world.reports = bounds_.reports;
  for (int second = 0; second < 10; ++second) {
    world.now += kTick;
    for (int r = 0; r < kReplicas; ++r) {
      report(world, r);
      take_reply(world, r);
    }
  }
  for (auto& replica : world.replicas) replica.memory = {bounds_.memory && bounds_.memory_full, 0, replica.counter};
  if (bounds_.redis_full) {
    auto& server = world.redis.change();
    server.entry = RedisEntry{0, stamp_of(server.ledger.look_up(keys_, run_id(server), world.now, ids(world)))};
  }
  if (bounds_.deposed) fail_over(world);
  arrive(std::move(world), {"the start"});
}

void Explorer::arrive(World world, Label label) {
  normalise(world, bounds_);
  if (!visited_.insert(canonical(world, bounds_))) return;
  if (visited_.size() >= bounds_.most_states) found_.complete = false;
  nodes_.push_back({label, at_});
  open_.push_back({std::move(world), static_cast<std::uint32_t>(nodes_.size() - 1)});
}

void Explorer::expand(const World& world) {
  for (std::size_t i = 0; i < static_cast<std::size_t>(bounds_.writes); ++i) writer_steps(world, i);
  for (std::size_t i = 0; i < static_cast<std::size_t>(bounds_.reads); ++i) reader_steps(world, i);
  for (int r = 0; r < kReplicas; ++r) replica_steps(world, r);
  faults(world);
}

namespace {
std::string told(const Label& label) {
  std::array<char, 160> text{};
#pragma clang diagnostic push
#pragma clang diagnostic ignored "-Wformat-nonliteral"
  std::snprintf(text.data(), text.size(), label.text, label.first, label.second);
#pragma clang diagnostic pop
  return text.data();
}
}  // namespace

void Explorer::violation(int served, int floor) {
  found_.violated = true;
  found_.trace = {told(taken_) + ": serves version " + std::to_string(served) + ", but " + std::to_string(floor) +
                  " was answered before it began"};
  for (auto node = at_; node != 0; node = nodes_[node].from) found_.trace.push_back(told(nodes_[node].label));
  std::reverse(found_.trace.begin(), found_.trace.end());
}

const char* name_of(Without rule) {
  switch (rule) {
    case Without::Nothing:
      return "nothing";
    case Without::PendingMark:
      return "the pending mark";
    case Without::MarkSet:
      return "a mark for each write";
    case Without::Generation:
      return "the new generation";
    case Without::Capture:
      return "the generations of the lookup";
    case Without::Acknowledgement:
      return "the wait for acknowledgements";
    case Without::LeaseFence:
      return "the lease fence";
    case Without::MemoryGuard:
      return "the guard of a memory fill";
    case Without::EndCheck:
      return "the check of the marks at the end";
    case Without::RunId:
      return "the server's run id";
    case Without::Quarantine:
      return "the wait for a young epoch";
    case Without::FlightState:
      return "the comparison of a flight's state";
    case Without::FlightMarks:
      return "the comparison of a flight's marks";
    case Without::LateFence:
      return "the fence of a write that Redis did not see";
    case Without::PlainEpoch:
      return "the plain lookup's epoch";
    case Without::PlainRunId:
      return "the plain lookup's run id";
    case Without::PlainMarks:
      return "the plain lookup's marks";
    case Without::PlainGenerations:
      return "the plain lookup's generations";
    case Without::PlainLease:
      return "the plain lookup's last lease";
    case Without::PlainWrite:
      return "the plain lookup's write";
  }
  return "";
}

std::string to_string(const Bounds& bounds) {
  std::string text = std::to_string(bounds.writes) + " writes, " + std::to_string(bounds.reads) + " reads";
  const auto add = [&](int count, const char* what) {
    if (count != 0) text += ", " + std::to_string(count) + " " + what;
  };
  add(bounds.restarts, "restarts"), add(bounds.rollbacks, "fail-overs to an older copy"),
      add(bounds.crashes, "crashes");
  add(bounds.evictions, "evictions"), add(bounds.standstills, "standstills");
  add(bounds.seconds, "seconds");
  if (bounds.reports >= 0) text += ", " + std::to_string(bounds.reports) + " reports";
  if (bounds.keys != 1) add(bounds.keys, "keys");
  if (bounds.deposed) text += ", a deposed master";
  if (!bounds.memory_full && bounds.memory) text += ", memory empty";
  if (!bounds.redis_full) text += ", Redis empty";
  if (!bounds.memory) text += ", no memory";
  if (bounds.plain) text += bounds.script ? ", plain lookups too" : ", plain lookups first";
  if (bounds.without != Without::Nothing) text += std::string(", without ") + name_of(bounds.without);
  return text;
}

Found explore(const Bounds& bounds) { return Explorer(bounds).run(); }

}  // namespace model
