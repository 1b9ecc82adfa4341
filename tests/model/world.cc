#include "tests/model/world.h"

#include "tests/model/explorer.h"

namespace model {

Found Explorer::run() {
  World world;
  world.writers.resize(static_cast<std::size_t>(bounds_.writes));
  world.readers.resize(static_cast<std::size_t>(bounds_.reads));
  world.restarts = bounds_.restarts;
  world.rollbacks = bounds_.rollbacks;
  world.crashes = bounds_.crashes;
  world.evictions = bounds_.evictions;
  world.seconds = bounds_.seconds;
  world.reports = bounds_.reports;
  // Both replicas have joined long ago and reported ever since, and memory and Redis hold the first version: the start
  // from which staleness is near.
  for (int second = 0; second < 10; ++second) {
    world.now += milliseconds(1000);
    for (int r = 0; r < kReplicas; ++r) {
      report(world, r);
      take_reply(world, r);
    }
  }
  for (auto& replica : world.replicas) replica.memory = {bounds_.warm, 0, replica.counter};
  visit(std::move(world));
  return std::move(found_);
}

void Explorer::step(const World& from, const std::string& what, const std::function<bool(World&)>& change) {
  if (found_.violated || !found_.complete) return;
  World next = from;
  trace_.push_back(what);
  if (change(next)) visit(std::move(next));
  trace_.pop_back();
}

void Explorer::violation() {
  found_.violated = true;
  found_.trace = trace_;
}

void Explorer::visit(World world) {
  if (found_.violated || !found_.complete) return;
  if (!seen_.insert(std::hash<std::string>{}(canonical(world))).second) return;
  found_.states = seen_.size();
  if (found_.states >= bounds_.most_states) {
    found_.complete = false;
    return;
  }
  for (std::size_t i = 0; i < world.writers.size(); ++i) writer_steps(world, i);
  for (std::size_t i = 0; i < world.readers.size(); ++i) reader_steps(world, i);
  for (int r = 0; r < kReplicas; ++r) replica_steps(world, r);
  faults(world);
}

const char* name_of(Without rule) {
  switch (rule) {
    case Without::Nothing:
      return "nothing";
    case Without::PendingMark:
      return "the pending mark";
    case Without::Generation:
      return "the new generation";
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
  }
  return "";
}

Found explore(const Bounds& bounds) { return Explorer(bounds).run(); }

}  // namespace model
