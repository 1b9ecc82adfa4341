// The coherence contract (README has its rules 1 to 8): a read that begins after a write was answered returns that
// write's effect or a later one. Here is every decision of it, pure: what a lookup saw, when an entry may be served,
// stored or shared, how a write proceeds, when a replica may use its memory tier. The gateway drives these with Redis
// (scripts that do what Ledger does) or with a Ledger of its own; tests/model drives the same code through every
// interleaving. Single-threaded values; time and random ids are arguments.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

namespace policies::coherence {

using Milliseconds = std::chrono::milliseconds;
using Epoch = std::uint64_t;
using Generation = std::uint64_t;
using WriteId = std::uint64_t;
using Position = std::uint64_t;
using Ids = std::function<std::uint64_t()>;  // random, never 0

struct Timing {
  Milliseconds lease{3'000};  // how long Redis believes a replica's report; the longest a writer waits for it
  Milliseconds use{2'000};    // how long after sending a successful report a replica uses its memory: shorter than
                              // `lease` less `grace`
  Milliseconds report_every{1'000};
  Milliseconds grace{500};        // a report that is further behind the log than this renews nothing
  Milliseconds upstream{30'000};  // the longest an upstream request may take
  // A mark outlives any request that may still be applied: the wait for acknowledgements, the request, and one time-out
  // more.
  Milliseconds mark() const { return lease + upstream + upstream; }
  bool operator==(const Timing&) const = default;
};

// What one lookup saw before any fetch: in one atomic step, or as plain_look_up.h says.
struct View {
  Epoch epoch = 0;
  std::vector<Generation> generations;       // one for each surrogate key, in the order asked
  std::vector<WriteId> marks;                // writes under way on any of the keys, sorted
  bool known() const { return epoch != 0; }  // false: Redis did not answer
  bool operator==(const View&) const = default;
};

// What an entry was fetched under; stored with it.
struct Stamp {
  Epoch epoch = 0;
  std::vector<Generation> generations;
  bool operator==(const Stamp&) const = default;
};
Stamp stamp_of(const View& view);

// Rule 2 and 3: an entry holds while its epoch and all its generations do, and no write is under way on its keys.
bool may_serve(const Stamp& entry, const View& now);
// Rule 2: what was fetched while a mark was seen may be from before that write: it is answered, never stored.
bool may_store(const View& before_fetch);
// Rule 7: equal views alone are the same moment. `counter`: the process' invalidation counter over the keys at the
// lookup. Two readers that know nothing of the shared state do not know that either: writes through other replicas may
// lie between them.
bool may_share_fetch(const View& flight, std::uint64_t flight_counter, const View& reader,
                     std::uint64_t reader_counter);

struct Replica {
  std::string id;
  Position position = 0;
  Milliseconds lease_until{0};
  bool operator==(const Replica&) const = default;
};

// A write's way, rules 4 and 5. Drive it by step(): each step names what to do next, the call after it what came of it.
class Write {
 public:
  enum class Step : std::uint8_t {
    Begin,   // run the begin script, then begun()
    Await,   // wait for acknowledgements until `await_until()`, then proceed()
    Send,    // go upstream, then answered()
    End,     // run the end script, then ended()
    Answer,  // the client may have its answer
  };
  struct Begun {
    Epoch epoch = 0;
    Position position = 0;          // of this write's entry in the log
    std::vector<std::string> live;  // replicas whose lease holds
    Milliseconds epoch_age{0};
    bool operator==(const Begun&) const = default;
  };
  Step step() const { return step_; }
  // `self` needs no acknowledgement: it applies its own invalidation before begun(). `wait` false: cache.coherence =
  // eventual.
  void begun(const Begun& begun, const std::string& self, Milliseconds now, const Timing& timing, bool wait = true);
  void acknowledged(const std::string& replica, Epoch epoch, Position position);
  bool may_proceed(Milliseconds now) const;  // every replica answered, or the lease time is over
  void proceed();
  Milliseconds await_until() const { return until_; }
  // Upstream's answer is there, or will never be. `more_keys`: it named keys that the request did not (an upsert's
  // contact): they are begun and awaited too, before End, since nobody has the answer yet.
  void answered(bool more_keys);
  // `held`: the end script found this write's marks. Lost ones (restart, eviction, time) mean that entries fetched
  // before the upstream applied the write may have been stored since: rule 5 begins and awaits once more before the
  // client is answered.
  void ended(bool held);
  bool applied() const { return applied_; }
  Epoch began_in() const { return began_in_; }  // of the first begin: what the end script compares
  bool operator==(const Write&) const = default;
  // All that tells two of them apart, in a fixed order (tests/model). `Sink` has number(), epoch(), and awaits() for
  // what matters while it waits.
  template <typename Sink>
  void describe(Sink& sink) const {
    sink.number(static_cast<int>(step_)), sink.number(applied_), sink.number(ended_), sink.epoch(began_in_);
    if (step_ == Step::Await) sink.awaits(epoch_, position_, waiting_, until_, quarantine_);
  }

 private:
  Step step_ = Step::Begin;
  bool applied_ = false;  // upstream has answered
  bool ended_ = false;
  Epoch began_in_ = 0;
  Epoch epoch_ = 0;  // of the latest begin
  Position position_ = 0;
  std::vector<std::string> waiting_;
  Milliseconds until_{0};       // by the writer's own clock
  Milliseconds quarantine_{0};  // until when a young epoch holds it, acknowledged or not
};

// A replica's side of the invalidation log, rule 6. Positions count within one epoch.
class Follower {
 public:
  enum class Applied : std::uint8_t { Next, Known, Gap };  // Gap: entries were missed, drop everything
  // An entry of the log arrived. Next: the caller drops what it names, then reports.
  Applied apply(Epoch epoch, Position position);
  struct Report {
    Epoch epoch = 0;  // 0: not registered
    Position position = 0;
    bool operator==(const Report&) const = default;
  };
  Report report() const { return {epoch_, position_}; }
  // The report script's answer. `sent_at`: by the replica's own monotonic clock, before sending. True: the epoch
  // changed or the log was cut, so the caller drops everything (the position is then the log's end).
  bool reported(Epoch epoch, bool renewed, bool cut, Position end, Milliseconds sent_at);
  // Memory may be used at `now`. It lapses by itself; lapse() then says once that everything must be dropped.
  bool may_use(Milliseconds now, const Timing& timing) const { return held_ && now < sent_at_ + timing.use; }
  bool lapse(Milliseconds now, const Timing& timing);
  Milliseconds usable_until(const Timing& timing) const { return held_ ? sent_at_ + timing.use : Milliseconds{0}; }
  bool operator==(const Follower&) const = default;

 private:
  Epoch epoch_ = 0;
  Position position_ = 0;
  bool held_ = false;
  Milliseconds sent_at_{0};
};

}  // namespace policies::coherence
