// The world's states, and the explorer that visits every one it can come to (world.h). Each part of the world has its
// steps in a file of its own: writers.cc, readers.cc, plain_look_ups.cc, replicas.cc, faults.cc.
#pragma once

#include <array>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "policies/ledger.h"
#include "policies/plain_look_up.h"
#include "tests/model/visited.h"
#include "tests/model/world.h"

namespace model {

using namespace policies::coherence;
using std::chrono::milliseconds;

inline const std::array<std::string, kReplicas> kNames{"r0", "r1"};
inline constexpr milliseconds kTick{1'000};

// The smallest whole times that keep the order which the rules need: a replica stops using its memory before its lease
// ends in Redis.
inline Timing timing() {
  return {.lease = 2 * kTick, .use = kTick, .report_every = kTick, .grace = milliseconds(0), .upstream = kTick};
}

// A value that many states have in common, copied by the first that changes it.
template <typename T>
class Shared {
 public:
  Shared() = default;
  explicit Shared(T value) : held_(std::make_shared<T>(std::move(value))) {}
  explicit operator bool() const { return held_ != nullptr; }
  const T& operator*() const { return *held_; }
  const T* operator->() const { return held_.get(); }
  T& change() {
    if (held_.use_count() > 1) held_ = std::make_shared<T>(*held_);
    return *held_;
  }

 private:
  std::shared_ptr<T> held_;
};

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
  bool at_deposed = false;                          // still connected to the master that was
  std::vector<std::pair<Epoch, Position>> notices;  // log messages on their way
  struct Reply {
    Ledger::Reported reported;
    milliseconds sent_at;
  };
  std::optional<Reply> reply;  // of a report, on its way
};

struct Writer {
  enum class At { Idle, Begun, Driving, InFlight, Applied, Late, Answering, Gone } at = At::Idle;
  int replica = 0;
  int version = 0;
  bool fenced = true;  // false: Redis did not answer, and it goes on without
  bool again = false;  // its marks were lost
  milliseconds sent{0};
  milliseconds late_until{0};
  Write write;
  Write::Begun begun;  // the script's answer on its way
};

struct Reader {
  enum class At { Idle, Guarded, Asking, Plain, Found, Looked, Fetched, Stored, Storing, Flying, Gone } at = At::Idle;
  int replica = 0;
  int floor = 0;
  int value = 0;
  int counter = -1;
  int flight = -1;      // whose fetch it joined
  int plain_steps = 0;  // of its plain commands
  View view;
  PlainLookUp plain;
};

struct RedisEntry {
  int value = 0;
  Stamp stamp;
};

struct Server {
  Ledger ledger{timing()};
  std::optional<RedisEntry> entry;
  int run_id = 1;
  bool read_only = false;
};

struct World {
  int version = 0;
  int answered = 0;
  int run_ids = 1;
  bool stands_still = false;
  Shared<Server> redis{Server{}};
  Shared<Server> copy;     // an older state that a fail-over may bring back
  Shared<Server> deposed;  // the master that was
  std::array<ReplicaState, kReplicas> replicas;
  std::array<Follower::Report, kReplicas>
      acknowledged;  // the latest of each, which may come before the begin script's answer
  std::array<Writer, kMostWriters> writers;
  std::array<Reader, kMostReaders> readers;
  milliseconds now{100'000};
  std::uint64_t ids = 100;
  int restarts = 0, rollbacks = 0, crashes = 0, evictions = 0, standstills = 0, seconds = 0, reports = 0;
};

// Takes out what nobody can ever see (canonical.cc).
void normalise(World& world, const Bounds& bounds);
// What tells states apart, as a hash of it.
policies::Hash128 canonical(const World& world, const Bounds& bounds);

// What led to a state: printf's format and its one or two numbers.
struct Label {
  const char* text;
  int first = 0, second = 0;
};

class Explorer {
 public:
  explicit Explorer(const Bounds& bounds);
  Found run();

 private:
  bool without(Without rule) const { return bounds_.without == rule; }
  static Ids ids(World& world) {
    return [&world] { return ++world.ids; };
  }
  std::string run_id(const Server& server) const {
    return without(Without::RunId) ? "one" : std::to_string(server.run_id);
  }
  // The server that a replica is connected to.
  static Shared<Server>& server(World& world, int r) {
    return world.replicas[static_cast<std::size_t>(r)].at_deposed ? world.deposed : world.redis;
  }
  static const Server& server(const World& world, int r) {
    return world.replicas[static_cast<std::size_t>(r)].at_deposed ? *world.deposed : *world.redis;
  }
  // Whether it runs scripts now.
  static bool takes_scripts(const World& world, int r) { return !world.stands_still && !server(world, r).read_only; }

  // What `change` makes of a copy is a state to visit, unless it says that nothing comes of it.
  template <typename Change>
  void step(const World& from, Label label, Change change) {
    if (over()) return;
    World next = from;
    taken_ = label;
    if (change(next) && !found_.violated) arrive(std::move(next), label);
  }
  bool over() const { return found_.violated || !found_.complete; }
  void start();
  void arrive(World world, Label label);
  void expand(const World& world);
  void violation(int served, int floor);
  std::vector<std::string> trace() const;

  // gateway/cache/writes.cc
  void writer_steps(const World& world, std::size_t i);
  void arrivals(const World& world, std::size_t i);
  void begun_steps(const World& world, std::size_t i);
  void upstream_steps(const World& world, std::size_t i);
  void drive(const World& world, std::size_t i);
  void waited(const World& world, std::size_t i);
  void late(const World& world, std::size_t i);
  void end_step(const World& world, std::size_t i, const char* text);
  std::string key(std::size_t i) const;
  WriteId mark(std::size_t i) const;
  void begin_script(World& world, std::size_t i) const;
  bool end_script(World& world, std::size_t i) const;
  bool begun(World& world, std::size_t i) const;

  // gateway/exchange
  bool usable(const World& world, int r) const;
  bool serve(const Reader& reader, int value);
  void fill(World& world, const Reader& reader, int value) const;
  void reader_steps(const World& world, std::size_t i);
  void read_begins(const World& world, std::size_t i);
  void script_steps(const World& world, std::size_t i);
  void fetched_steps(const World& world, std::size_t i);
  bool joinable(const Reader& flight, const Reader& reader) const;
  bool look_up(World& world, std::size_t i, int join);
  void store(World& world, const Reader& reader) const;
  bool land(World& world, std::size_t i);

  // gateway/cache/redis_look_up.cc
  void plain_step(const World& world, std::size_t i);
  bool plain_epoch(Reader& reader, const Server& from) const;
  bool plain_key(Reader& reader, const Server& from) const;
  bool plain_entry(Reader& reader, const Server& from) const;

  // gateway/cache/redis_follower.cc
  void replica_steps(const World& world, int r);
  void report(World& world, int r) const;
  bool take_reply(World& world, int r) const;

  void faults(const World& world);
  void server_faults(const World& world);
  void evictions(const World& world);
  static void fail_over(World& world);
  void demotion(const World& world);
  bool may_pass(const World& world) const;
  void crash(const World& world, int r);

  Bounds bounds_;
  std::vector<std::string> keys_;
  Found found_;
  Visited visited_;
  // How each state was come to first.
  struct Node {
    Label label;
    std::uint32_t from;
  };
  struct Open {
    World world;
    std::uint32_t node;
  };
  std::vector<Node> nodes_;
  std::deque<Open> open_;
  std::uint32_t at_ = 0;
  Label taken_{""};
};

}  // namespace model
