// What Redis holds for the coherence contract, and what each of the gateway's scripts does to it, as a value in this
// process: the second tier's book-keeping without Redis, the model's Redis, and the reference that the Lua scripts are
// tested against (one table drives both). Single-threaded. Times are the ledger's own clock (Redis TIME).
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "policies/coherence.h"

namespace policies::coherence {

class Ledger {
 public:
  // `leased` false: nobody else may use it, so nobody reports, and it never runs out of leases.
  explicit Ledger(Timing timing, bool leased = true) : timing_(timing), leased_(leased) {}

  // Script `lookup`: generations (missing ones are made anew), live marks, epoch; one atomic step.
  View look_up(const std::vector<std::string>& keys, std::string_view run_id, Milliseconds now, const Ids& ids);

  // Script `begin`: marks, new generations, one log entry; answers who must acknowledge.
  Write::Begun begin(const std::vector<std::string>& keys, WriteId write, std::string_view run_id, Milliseconds now,
                     const Ids& ids);

  // Script `end`: the mark goes, or stays for `keep` more (a collection's settle time; a lost answer's time-out).
  // False where any of the marks was already gone, or the epoch is not the one the write began in.
  struct Key {
    std::string name;
    Milliseconds keep{0};
  };
  bool end(const std::vector<Key>& keys, WriteId write, Epoch epoch, std::string_view run_id, Milliseconds now,
           const Ids& ids);

  // Script `report`: renews the lease unless the replica is behind; answers what it has missed.
  struct Entry {
    Position position = 0;
    Milliseconds at{0};
    std::vector<std::string> keys;
    bool operator==(const Entry&) const = default;
  };
  struct Reported {
    Epoch epoch = 0;
    bool renewed = false;
    bool cut = false;  // the log no longer holds what the replica missed, or it was of another epoch
    Position end = 0;
    std::vector<Entry> missed;
  };
  Reported report(const std::string& replica, const Follower::Report& report, std::string_view run_id, Milliseconds now,
                  const Ids& ids);

  // Script `renew_epoch`: everything from before is a miss; answers who must drop it, at position 0, and the age of the
  // epoch that was.
  Write::Begun renew_epoch(std::string_view run_id, Milliseconds now, const Ids& ids);

  // Script `leave`: the replica gives its lease back.
  void leave(const std::string& replica, std::string_view run_id, Milliseconds now, const Ids& ids);

  // What memory pressure and the passing of time do.
  void evict_key(const std::string& key) { surrogates_.erase(key); }
  void evict_epoch() { epoch_.reset(); }
  void evict_log() { log_.clear(); }
  std::size_t keys() const { return surrogates_.size(); }

  // What a plain command reads of it, changing nothing.
  struct PlainEpoch {
    Epoch epoch = 0;
    std::string_view run_id;
    std::optional<Milliseconds> last_lease_ends;
  };
  PlainEpoch plain_epoch() const;
  struct PlainKey {
    Generation generation = 0;
    bool marked = false;  // one whose time is over counts until a script takes it away
  };
  PlainKey plain_key(const std::string& key) const;

  // Forgets surrogate keys without live marks; their entries become misses. Keeps a long-lived process' ledger bounded.
  void trim(std::size_t most_keys, Milliseconds now);

  bool operator==(const Ledger&) const = default;
  // What its answers depend on, in a fixed order: for comparing states (tests/model).
  // `Sink` has id(), epoch(), number(), word(), since() and until() for times, lease(), mark(), marks_end(), logged().
  template <typename Sink>
  void describe(Sink& sink) const;

  static constexpr std::size_t kLogEntries = 10'000;

 private:
  struct Surrogate {
    Generation generation = 0;
    std::map<WriteId, Milliseconds> marks;  // until when
    bool operator==(const Surrogate&) const = default;
  };
  // One key in Redis: whoever evicts the leases evicts the epoch with them.
  struct EpochRecord {
    Epoch epoch = 0;
    std::string run_id;
    Milliseconds since{0};
    Position end = 0;
    std::map<std::string, Replica> replicas;
    // When the last lease runs out; none: all were given back. A ledger that no lease holds was out of everybody's
    // reach for that long, and writes may have been answered without it.
    std::optional<Milliseconds> until;
    bool operator==(const EpochRecord&) const = default;
  };
  EpochRecord& epoch_of(std::string_view run_id, Milliseconds now, const Ids& ids);
  EpochRecord& new_epoch(std::string_view run_id, Milliseconds now, const Ids& ids);
  static std::vector<std::string> live(const EpochRecord& epoch, Milliseconds now);
  static void drop_expired(Surrogate& surrogate, Milliseconds now);

  void renew(EpochRecord& epoch, const std::string& replica, Position position, Milliseconds now);

  Timing timing_;
  bool leased_;
  std::optional<EpochRecord> epoch_;
  std::map<std::string, Surrogate> surrogates_;
  std::vector<Entry> log_;
};

template <typename Sink>
void Ledger::describe(Sink& sink) const {
  sink.number(epoch_.has_value());
  if (epoch_) {
    sink.epoch(epoch_->epoch);
    sink.word(epoch_->run_id);
    sink.since(epoch_->since, timing_.lease);
    sink.number(epoch_->end);
    sink.number(epoch_->until.has_value());
    if (epoch_->until) sink.until(*epoch_->until);
    for (const auto& [id, replica] : epoch_->replicas) sink.lease(id, replica.lease_until);
  }
  for (const auto& [key, surrogate] : surrogates_) {
    sink.word(key), sink.id(surrogate.generation);
    for (const auto& [write, until] : surrogate.marks) sink.mark(write, until);
    sink.marks_end();
  }
  for (const auto& entry : log_) sink.logged(entry.position, entry.at);
}

}  // namespace policies::coherence
