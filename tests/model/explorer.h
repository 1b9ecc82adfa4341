// The world's states, and the explorer that visits every one it can come to (world.h). Each part of the world has its
// steps in a file of its own: writers.cc, readers.cc, replicas.cc, faults.cc.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <unordered_set>
#include <utility>
#include <vector>

#include "tests/model/world.h"

namespace model {

using std::chrono::milliseconds;

inline const std::vector<std::string> kKeys{"k"};
inline const std::array<std::string, kReplicas> kNames{"r0", "r1"};

inline Timing timing() {
  Timing times;
  times.upstream = milliseconds(1000);
  return times;
}

struct Memory {
  bool full = false;
  int value = 0;
  int counter = 0;
};

struct ReplicaState {
  Follower follower;
  Memory memory;
  int counter = 0;  // the invalidation counter
  milliseconds usable_until{0};
  std::vector<std::pair<Epoch, Position>> notices;  // log messages on their way
  struct Reply {
    Ledger::Reported reported;
    milliseconds sent_at;
  };
  std::optional<Reply> reply;  // of a report, on its way
};

struct Writer {
  enum class At { Idle, Begun, Driving, InFlight, Applied, Answered, Dead } at = At::Idle;
  int replica = 0;
  int version = 0;
  milliseconds sent{0};
  Write write;
  Write::Begun begun;  // the script's answer on its way
};

struct Reader {
  enum class At { Idle, Guarded, Looked, Fetched, Flying, Done, Dead } at = At::Idle;
  int replica = 0;
  int floor = 0;
  int value = 0;
  int counter = 0;
  int flight = -1;  // whose fetch it joined
  View view;
};

struct RedisEntry {
  int value = 0;
  Stamp stamp;
};

struct World {
  int version = 0;
  int answered = 0;
  Ledger redis{timing()};
  int run_id = 1;
  std::optional<RedisEntry> entry;
  std::optional<std::pair<Ledger, std::optional<RedisEntry>>> copy;  // an older state that a fail-over may bring back
  std::array<ReplicaState, kReplicas> replicas;
  std::array<Follower::Report, kReplicas>
      acknowledged;  // the latest of each, which may come before the begin script's answer
  std::vector<Writer> writers;
  std::vector<Reader> readers;
  milliseconds now{100'000};
  std::uint64_t ids = 100;
  int restarts = 0, rollbacks = 0, crashes = 0, evictions = 0, seconds = 0, reports = 0;
};

// The state as bytes, the same for states that differ only in which random ids they drew and in absolute time.
std::string canonical(const World& world);

class Explorer {
 public:
  explicit Explorer(const Bounds& bounds) : bounds_(bounds) {}
  Found run();

 private:
  bool without(Without rule) const { return bounds_.without == rule; }
  Ids ids(World& world) {
    return [&world] { return ++world.ids; };
  }
  std::string run_id(const World& world) const {
    return without(Without::RunId) ? "one" : std::to_string(world.run_id);
  }

  // What `change` makes of a copy is visited, unless it says that nothing comes of it.
  void step(const World& from, const std::string& what, const std::function<bool(World&)>& change);
  void visit(World world);
  void violation();

  // gateway/cache/writes.cc
  void writer_steps(const World& world, std::size_t i);
  bool begin_script(World& world, std::size_t i);
  bool begun(World& world, std::size_t i);
  void drive(const World& world, std::size_t i, const std::string& name);

  // gateway/exchange
  bool usable(const World& world, int r) const;
  bool serve(World& world, std::size_t i, int value);
  bool fill(World& world, const Reader& reader, int value);
  void reader_steps(const World& world, std::size_t i);
  static bool joinable(const Reader& flight, const Reader& reader);
  bool look_up(World& world, std::size_t i, int join);

  // gateway/cache/redis_follower.cc
  void replica_steps(const World& world, int r);
  void report(World& world, int r);
  void take_reply(World& world, int r);

  void faults(const World& world);
  static bool may_pass(const World& world);
  void crash(const World& world, int r);

  Bounds bounds_;
  Found found_;
  std::unordered_set<std::size_t> seen_;
  std::vector<std::string> trace_;
};

}  // namespace model
