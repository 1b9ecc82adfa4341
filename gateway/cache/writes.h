// The order of a write (rules 4 and 5 of the contract: README, "The coherence contract"), driven for the exchange:
// nobody may read older data than an acknowledged write.
//   1. begin() sets marks and new generations in the shared tier, and drops the keys from this process' memory.
//   2. begin() then waits until every replica with a lease has acknowledged, or one lease time has passed: no memory
//      tier still serves the old state.
//   3. The caller goes upstream.
//   4. finish() begins and awaits keys that only the answer names, too. The marks go, or stay for as long as upstream's
//      answers may still be old.
//   5. finish() does steps 1 and 2 once more where the marks were lost in between. Then the client gets its answer.
// Asio thread only. None of it may be cancelled: callers run it in a coroutine of its own.
#pragma once

#include <asio/awaitable.hpp>
#include <asio/io_context.hpp>
#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "gateway/cache/fence.h"
#include "gateway/cache/shared_tier.h"

namespace gateway::cache {

struct WritesOptions {
  policies::coherence::Timing timing;
  bool strict = true;            // false: cache.coherence = eventual, nobody waits
  bool refuse_unfenced = false;  // cache.on_redis_loss = refuse-writes
  std::function<void()> on_unfenced;
};

class Writes {
 public:
  Writes(asio::io_context& io, SharedTier& tier, Fence& fence, WritesOptions options);

  struct Key {
    std::string name;
    std::chrono::milliseconds settle{
        0};  // a collection's: how long after the answer upstream may still show the old state
  };
  // A write under way. Its keys grow by those of the answer.
  struct Ticket {
    std::vector<Key> keys;
    policies::coherence::WriteId id = 0;
    std::shared_ptr<policies::coherence::Write> write;
    bool fenced = true;  // false: the shared tier did not know of it
  };
  // Null: refused, Redis is away and the settings say so.
  asio::awaitable<std::shared_ptr<Ticket>> begin(std::vector<Key> keys);

  enum class Outcome {
    NotSent,   // upstream never saw it
    Answered,  // whatever the status: a 4xx or 5xx may have been applied too
    Unknown,   // sent, and no answer: it may still be applied
  };
  asio::awaitable<void> finish(std::shared_ptr<Ticket> ticket, Outcome outcome, std::vector<Key> more_keys);

  // Redis is back: what was written without it is invalidated again.
  asio::awaitable<void> repeat_unfenced();
  // Drops every entry that depends on one of `keys`, here and on every replica; `keys` empty: everything. False: Redis
  // is away, only this process has (the rest follows when Redis is back).
  asio::awaitable<bool> purge(std::vector<std::string> keys);

 private:
  asio::awaitable<void> await(std::shared_ptr<policies::coherence::Write> write,
                              policies::coherence::Write::Begun begun);
  asio::awaitable<bool> begin_and_await(std::shared_ptr<Ticket> ticket, std::vector<std::string> keys);
  asio::awaitable<bool> end(std::shared_ptr<Ticket> ticket, Outcome outcome);
  asio::awaitable<bool> invalidate_again(std::vector<std::string> keys);
  asio::awaitable<bool> drop_everything();
  asio::awaitable<bool> fence_late(std::shared_ptr<Ticket> ticket, Outcome outcome);
  void remember_unfenced(const std::vector<std::string>& keys);

  asio::io_context& io_;
  SharedTier& tier_;
  Fence& fence_;
  WritesOptions options_;
  std::vector<std::string> unfenced_;  // to be invalidated again; bounded, then everything is
  bool unfenced_all_ = false;
};

}  // namespace gateway::cache
