// What stands behind the memory tier: the coherence book-keeping, and with Redis the entries too (README, "The
// coherence contract"). Two implementations, the same contract: LocalTier (a Ledger in this process) and RedisTier (the
// same steps as Lua scripts). Used on the Asio thread only. None of the calls throws for a Redis that is away: they
// answer what the contract says for that case.
#pragma once

#include <asio/awaitable.hpp>
#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "gateway/cache/entry.h"
#include "gateway/cache/stored_entry.h"
#include "policies/coherence.h"

namespace gateway::cache {

// An entry that nobody else sees yet: who is given it sets `received` and `guard`. A copy is another one.
struct FoundEntry {
  std::shared_ptr<Entry> entry;
  std::chrono::milliseconds stored_at{0};  // by the tier's clock

  FoundEntry(std::shared_ptr<Entry> found, std::chrono::milliseconds stored)
      : entry(std::move(found)), stored_at(stored) {}
  FoundEntry(const FoundEntry& other);
  FoundEntry& operator=(const FoundEntry& other) { return *this = FoundEntry(other); }
  FoundEntry(FoundEntry&&) = default;
  FoundEntry& operator=(FoundEntry&&) = default;
  ~FoundEntry() = default;
};

// What one lookup found, one round trip.
struct Found {
  bool available = true;  // false: Redis did not answer in time; nothing may be stored, and `view` says nothing
  policies::coherence::View view;
  std::optional<FoundEntry> entry;   // only one that the contract lets be served now
  std::chrono::milliseconds now{0};  // the tier's own clock: `entry->stored_at` counts by it
  // Single flight across replicas: false while another replica fetches this very state; wait_for_other() then.
  bool leads = true;
  // This lookup took the right to fetch from the other replicas: finish() must follow, with an entry or without.
  bool claimed = false;
};

// What a lookup is of: whoever asks keeps it as long as it takes.
struct LookedFor {
  std::shared_ptr<const std::string> key;
  std::shared_ptr<const std::vector<std::string>> surrogate_keys;
};

class SharedTier {
 public:
  virtual ~SharedTier() = default;

  virtual asio::awaitable<Found> look_up(std::string key, std::vector<std::string> surrogate_keys) = 0;
  // The same without a coroutine, where that can be had: true, and `then` is called in any case, at once or later.
  virtual bool look_up_for(LookedFor, std::function<void(Found)>) { return false; }
  // Whether a lookup made now is a round trip, and nearly sure to find nothing.
  virtual bool likely_to_miss() const { return false; }
  // Whether finish() keeps entries.
  virtual bool stores() const { return true; }
  // Another replica leads: returns when it has stored, given up or died, or at `limit`; the caller looks up again.
  virtual asio::awaitable<void> wait_for_other(std::string key, std::chrono::milliseconds limit) = 0;
  // The fetch that `found` led to is over: stores `entry` (null: nothing to store) under it and lets the others know.
  // Never waits long.
  virtual asio::awaitable<void> finish(std::string key, Found found, std::shared_ptr<const StoredEntry> entry) = 0;

  // Rules 4 and 5. Nothing: Redis is away.
  virtual asio::awaitable<std::optional<policies::coherence::Write::Begun>> begin(
      std::vector<std::string> keys, policies::coherence::WriteId write) = 0;
  struct Ending {
    std::string key;
    std::chrono::milliseconds keep{0};  // how long its mark stays
  };
  // Nothing: Redis is away, and it is not known whether the marks were held.
  virtual asio::awaitable<std::optional<bool>> end(std::vector<Ending> keys, policies::coherence::WriteId write,
                                                   policies::coherence::Epoch began_in) = 0;
  // Waits until an acknowledgement arrives or `limit` passes; feeds what came to `write`.
  virtual asio::awaitable<void> await_acknowledgements(std::shared_ptr<policies::coherence::Write> write,
                                                       std::chrono::milliseconds limit) = 0;
  virtual const std::string& self() const = 0;

  // Everything from before is a miss, in Redis now and on every replica once it has acknowledged (begun at position 0
  // of the new epoch). Nothing: Redis is away.
  virtual asio::awaitable<std::optional<policies::coherence::Write::Begun>> renew_epoch() = 0;
};

}  // namespace gateway::cache
