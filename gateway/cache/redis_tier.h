// The shared tier in Redis: entries, and the coherence contract's steps as scripts (scripts.h). Asio thread only.
// It also is this replica's side of the invalidation log: a loop reports, applies what it missed, renews the lease and
// moves the fence.
#pragma once

#include <algorithm>
#include <asio/io_context.hpp>
#include <asio/steady_timer.hpp>
#include <functional>
#include <list>
#include <map>
#include <unordered_map>

#include "gateway/cache/fence.h"
#include "gateway/cache/lookups.h"
#include "gateway/cache/shared_tier.h"
#include "gateway/redis/client.h"

namespace gateway::cache {

// Redis' keys: scripts.h says what is under them.
inline constexpr std::string_view kEpochKey = "cg:epoch", kLogKey = "cg:log",
                                  kEntryPrefix = "cg:e:", kFlightPrefix = "cg:f:", kSurrogatePrefix = "cg:s:";

struct RedisTierOptions {
  policies::coherence::Timing timing;
  std::chrono::milliseconds timeout{50};                        // of one lookup: redis.timeout
  std::string replica;                                          // this process' name among the replicas, unique
  std::function<void(std::string_view reason)> on_bad_entry;    // a stored value that is corrupted or foreign
  std::function<void(std::string_view cause)> on_invalidation;  // "log", "epoch", "lease"
};

class RedisTier final : public SharedTier {
 public:
  RedisTier(asio::io_context& io, redis::Client& client, Fence& fence, RedisTierOptions options);

  // The report loop; until stop(). Subscribes to the channels.
  void start();
  void stop();
  // After stop(), the last call: what is in Redis stays good for whoever starts next, though no lease holds meanwhile.
  asio::awaitable<void> leave();

  asio::awaitable<Found> look_up(std::string key, std::vector<std::string> surrogate_keys) override;
  bool look_up_for(LookedFor what, std::function<void(Found)> then) override;
  bool likely_to_miss() const override { return finds_.unlikely(); }
  asio::awaitable<void> wait_for_other(std::string key, std::chrono::milliseconds limit) override;
  asio::awaitable<void> finish(std::string key, Found found, std::shared_ptr<const StoredEntry> entry) override;
  asio::awaitable<std::optional<policies::coherence::Write::Begun>> begin(std::vector<std::string> keys,
                                                                          policies::coherence::WriteId write) override;
  asio::awaitable<std::optional<bool>> end(std::vector<Ending> keys, policies::coherence::WriteId write,
                                           policies::coherence::Epoch began_in) override;
  asio::awaitable<void> await_acknowledgements(std::shared_ptr<policies::coherence::Write> write,
                                               std::chrono::milliseconds limit) override;
  const std::string& self() const override { return options_.replica; }
  asio::awaitable<std::optional<policies::coherence::Write::Begun>> renew_epoch() override;

 private:
  using Timer = asio::steady_timer;
  class LookUp;
  class Round;
  // Whether a lookup is likely to find its entry, or nearly sure not to. A wrong guess costs a round trip, or a permit
  // that is given back; a right one saves Redis more than half of its work, or a round trip: only after many that did.
  class Finds {
   public:
    bool likely() const { return score_ > 0; }
    bool unlikely() const { return misses_ >= kMisses; }
    void found() {
      score_ = std::min(score_ + 1, kMost);
      misses_ = 0;
    }
    void missed() {
      score_ = std::max(score_ - kMiss, 0);
      misses_ = std::min(misses_ + 1, kMisses);
    }

   private:
    static constexpr int kMost = 32, kMiss = 8, kMisses = 8;
    int score_ = kMiss;
    int misses_ = 0;  // in a row
  };
  asio::awaitable<Found> ask(std::string key, std::vector<std::string> surrogate_keys, std::chrono::milliseconds limit);
  void join_round(std::shared_ptr<LookUp> look_up);
  void send_round();
  asio::awaitable<void> report_loop();
  asio::awaitable<void> report_once();
  asio::awaitable<void> keep_flights();
  void on_message(std::string_view channel, std::string_view message);
  void on_log(std::string_view message);
  void on_acknowledgement(std::string_view message);
  void drop_everything(std::string_view cause);
  // The reply of a script as an array; nothing where Redis is away or answered an error.
  asio::awaitable<std::optional<redis::Array>> run(std::shared_ptr<const redis::Script> script,
                                                   std::vector<std::string> keys, std::vector<std::string> arguments,
                                                   std::chrono::milliseconds limit = {});

  asio::io_context& io_;
  redis::Client& client_;
  Fence& fence_;
  RedisTierOptions options_;
  Lookups lookups_;
  Finds finds_;
  std::chrono::steady_clock::duration took_{0};  // the last command or round of a lookup
  std::shared_ptr<Round> round_;                 // the one that is being gathered; null: none
  policies::coherence::Follower follower_;
  bool running_ = false;
  bool report_now_ = false;
  Timer next_report_;
  Timer next_extend_;
  struct Waiter {
    std::shared_ptr<policies::coherence::Write> write;
    Timer* timer;
  };
  std::list<Waiter> writers_;  // waiting for acknowledgements
  // The latest acknowledgement of each replica: one may arrive, on the channels' connection, before the reply to the
  // begin that it answers.
  std::map<std::string, std::pair<policies::coherence::Epoch, policies::coherence::Position>> acknowledged_;
  using Followers = std::unordered_multimap<std::string, Timer*>;
  Followers followers_;                               // by key, waiting for another replica's fetch
  std::unordered_map<std::string, std::string> led_;  // flights that this replica leads: key -> token
};

}  // namespace gateway::cache
