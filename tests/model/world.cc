#include "tests/model/world.h"

#include <algorithm>
#include <unordered_map>
#include <unordered_set>

namespace model {

namespace {
using std::chrono::milliseconds;

const std::vector<std::string> kKeys{"k"};
const std::array<std::string, kReplicas> kNames{"r0", "r1"};

Timing timing() {
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
struct Canonical {
  std::string bytes;
  milliseconds now{0};
  std::unordered_map<std::uint64_t, int> names;
  void number(long long n) { bytes.append(std::to_string(n)).push_back(','); }
  void id(std::uint64_t id) {
    number(id == 0 ? 0 : names.emplace(id, static_cast<int>(names.size()) + 1).first->second);
  }
  void time(milliseconds t) { number(std::max<long long>((t - now).count(), -20'000)); }
  void word(const std::string& w) { bytes.append(w).push_back(';'); }
};

class Explorer {
 public:
  explicit Explorer(const Bounds& bounds) : bounds_(bounds) {}

  Found run() {
    World world;
    world.writers.resize(static_cast<std::size_t>(bounds_.writes));
    world.readers.resize(static_cast<std::size_t>(bounds_.reads));
    world.restarts = bounds_.restarts;
    world.rollbacks = bounds_.rollbacks;
    world.crashes = bounds_.crashes;
    world.evictions = bounds_.evictions;
    world.seconds = bounds_.seconds;
    world.reports = bounds_.reports;
    // Both replicas have joined long ago, and memory and Redis hold the first version: the start from which staleness
    // is near.
    for (int r = 0; r < kReplicas; ++r) {
      report(world, r);
      take_reply(world, r);
    }
    world.now += milliseconds(10'000);
    for (int r = 0; r < kReplicas; ++r) {
      report(world, r);
      take_reply(world, r);
    }
    for (auto& replica : world.replicas) replica.memory = {bounds_.warm, 0, replica.counter};
    visit(std::move(world));
    return std::move(found_);
  }

 private:
  bool without(Without rule) const { return bounds_.without == rule; }
  Ids ids(World& world) {
    return [&world] { return ++world.ids; };
  }
  std::string run_id(const World& world) const {
    return without(Without::RunId) ? "one" : std::to_string(world.run_id);
  }

  void step(const World& from, const std::string& what, const std::function<bool(World&)>& change) {
    if (found_.violated || !found_.complete) return;
    World next = from;
    trace_.push_back(what);
    if (change(next)) visit(std::move(next));
    trace_.pop_back();
  }

  void violation() {
    found_.violated = true;
    found_.trace = trace_;
  }

  static std::string canonical(const World& world) {
    Canonical sink;
    sink.now = world.now;
    sink.number(world.version), sink.number(world.answered), sink.number(world.run_id);
    world.redis.describe(sink);
    describe(sink, world.entry);
    sink.number(world.copy.has_value());
    if (world.copy) {
      world.copy->first.describe(sink);
      describe(sink, world.copy->second);
    }
    for (const auto& replica : world.replicas) {
      sink.id(replica.follower.report().epoch), sink.number(static_cast<long long>(replica.follower.report().position));
      sink.time(replica.follower.usable_until(timing())), sink.time(replica.usable_until);
      const bool live = replica.memory.full && replica.memory.counter == replica.counter;
      sink.number(live ? replica.memory.value : -1);
      for (const auto& [epoch, position] : replica.notices)
        sink.id(epoch), sink.number(static_cast<long long>(position));
      sink.number(replica.reply.has_value());
      if (replica.reply) {
        const auto& reported = replica.reply->reported;
        sink.id(reported.epoch), sink.number(reported.renewed), sink.number(reported.cut),
            sink.number(static_cast<long long>(reported.end));
        for (const auto& missed : reported.missed) sink.number(static_cast<long long>(missed.position));
        sink.time(replica.reply->sent_at);
      }
    }
    for (const auto& report : world.acknowledged)
      sink.id(report.epoch), sink.number(static_cast<long long>(report.position));
    for (const auto& writer : world.writers) {
      sink.number(static_cast<int>(writer.at)), sink.number(writer.replica), sink.number(writer.version),
          sink.time(writer.sent);
      sink.number(static_cast<int>(writer.write.step())), sink.number(writer.write.applied()),
          sink.id(writer.write.began_in());
      sink.time(writer.write.await_until());
      for (const auto& replica : writer.write.waiting_for()) sink.word(replica);
      sink.id(writer.begun.epoch), sink.number(static_cast<long long>(writer.begun.position));
    }
    for (const auto& reader : world.readers) {
      sink.number(static_cast<int>(reader.at)), sink.number(reader.replica), sink.number(reader.floor),
          sink.number(reader.value);
      sink.number(reader.counter == world.replicas[static_cast<std::size_t>(reader.replica)].counter),
          sink.number(reader.flight);
      sink.id(reader.view.epoch);
      for (auto generation : reader.view.generations) sink.id(generation);
      for (auto mark : reader.view.marks) sink.number(static_cast<long long>(mark));
    }
    for (int left : {world.restarts, world.rollbacks, world.crashes, world.evictions, world.seconds, world.reports})
      sink.number(left);
    return std::move(sink.bytes);
  }
  static void describe(Canonical& sink, const std::optional<RedisEntry>& entry) {
    sink.number(entry.has_value());
    if (!entry) return;
    sink.number(entry->value), sink.id(entry->stamp.epoch);
    for (auto generation : entry->stamp.generations) sink.id(generation);
  }

  void visit(World world) {
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

  // --- writes: gateway/cache/writes.cc ---
  void writer_steps(const World& world, std::size_t i) {
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

  bool begin_script(World& world, std::size_t i) {
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

  bool begun(World& world, std::size_t i) {
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

  void drive(const World& world, std::size_t i, const std::string& name) {
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
          bool held = next.redis.end({{"k", milliseconds(0)}}, i + 1, ending.write.began_in(), run_id(next), next.now,
                                     ids(next));
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

  // --- reads: gateway/exchange ---
  bool usable(const World& world, int r) const {
    return without(Without::LeaseFence) || world.now < world.replicas[static_cast<std::size_t>(r)].usable_until;
  }

  bool serve(World& world, std::size_t i, int value) {
    auto& reader = world.readers[i];
    reader.at = Reader::At::Done;
    reader.value = value;
    if (value < reader.floor) {
      trace_.back() += ": serves version " + std::to_string(value) + ", but " + std::to_string(reader.floor) +
                       " was answered before it began";
      violation();
      return false;
    }
    return true;
  }

  bool fill(World& world, const Reader& reader, int value) {
    auto& replica = world.replicas[static_cast<std::size_t>(reader.replica)];
    replica.memory = {true, value, without(Without::MemoryGuard) ? replica.counter : reader.counter};
    return true;
  }

  void reader_steps(const World& world, std::size_t i) {
    const auto& reader = world.readers[i];
    const std::string name = "read " + std::to_string(i);
    using At = Reader::At;
    switch (reader.at) {
      case At::Idle:
        for (int r = 0; r < kReplicas; ++r)
          step(world, name + " begins at r" + std::to_string(r), [&, r](World& next) {
            auto& mine = next.readers[i];
            const auto& replica = next.replicas[static_cast<std::size_t>(r)];
            mine.replica = r;
            mine.floor = next.answered;
            mine.counter = replica.counter;
            mine.at = At::Guarded;
            if (replica.memory.full && replica.memory.counter == replica.counter && usable(next, r))
              return serve(next, i, replica.memory.value);
            return true;
          });
        break;
      case At::Guarded:
        step(world, name + " looks up", [&](World& next) { return look_up(next, i, -1); });
        for (std::size_t j = 0; j < world.readers.size(); ++j)
          if (j != i && joinable(world.readers[j], reader))
            step(world, name + " looks up and may join read " + std::to_string(j),
                 [&, j](World& next) { return look_up(next, i, static_cast<int>(j)); });
        break;
      case At::Looked:
        step(world, name + " fetches", [&](World& next) {
          next.readers[i].value = next.version;
          next.readers[i].at = At::Fetched;
          return true;
        });
        break;
      case At::Fetched:
        step(world, name + " stores and is served", [&](World& next) {
          auto& mine = next.readers[i];
          if (may_store(mine.view)) {
            next.entry = RedisEntry{mine.value, stamp_of(mine.view)};
            fill(next, mine, mine.value);
          }
          for (auto& other : next.readers)
            if (other.at == At::Flying && other.flight == static_cast<int>(i) &&
                !serve(next, static_cast<std::size_t>(&other - next.readers.data()), mine.value))
              return false;
          return serve(next, i, mine.value);
        });
        break;
      default:
        break;
    }
  }

  static bool joinable(const Reader& flight, const Reader& reader) {
    return flight.replica == reader.replica && (flight.at == Reader::At::Looked || flight.at == Reader::At::Fetched);
  }

  bool look_up(World& world, std::size_t i, int join) {
    auto& reader = world.readers[i];
    reader.view = world.redis.look_up(kKeys, run_id(world), world.now, ids(world));
    if (world.entry && may_serve(world.entry->stamp, reader.view)) {
      fill(world, reader, world.entry->value);
      return serve(world, i, world.entry->value);
    }
    reader.at = Reader::At::Looked;
    if (join < 0) return true;
    const auto& flight = world.readers[static_cast<std::size_t>(join)];
    const bool same = may_share_fetch(flight.view, static_cast<std::uint64_t>(flight.counter), reader.view,
                                      static_cast<std::uint64_t>(reader.counter));
    if (!same && !without(Without::FlightState)) return false;
    reader.at = Reader::At::Flying;
    reader.flight = join;
    return true;
  }

  // --- replicas: gateway/cache/redis_follower.cc ---
  void replica_steps(const World& world, int r) {
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

  void report(World& world, int r) {
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

  void take_reply(World& world, int r) {
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

  // --- faults ---
  void faults(const World& world) {
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
  static bool may_pass(const World& world) {
    return std::none_of(world.writers.begin(), world.writers.end(), [&](const Writer& writer) {
      return writer.at == Writer::At::InFlight && world.now >= writer.sent + timing().upstream;
    });
  }

  void crash(const World& world, int r) {
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

  Bounds bounds_;
  Found found_;
  std::unordered_set<std::size_t> seen_;
  std::vector<std::string> trace_;
};
}  // namespace

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
