// Grants in Redis, for all replicas that share it: `cg:oauth:grants`, a hash by grant id; every change is published on
// `cg:oauth:changed`. One replica at a time renews a grant: `cg:oauth:lock:ID` is a random token that lives 5 s and is
// renewed every 1.5 s while its holder lives.
//
// What keeps a refresh token from being used twice, in steps:
//   1. lock() gives the right together with what is stored: who comes second finds the pair that the first one stored.
//   2. save() compares versions: a holder that was held up beyond its lock's life cannot undo what came after it.
//   3. A Redis that restarted may have lost the last pairs, and locks with them. For 2.5 s after a server with another
//      run id was first seen nobody gets the right; replicas that come back meanwhile put back what they know (the
//      holder of a pair that could not be stored among them: it goes on trying).
// What is left: a Redis that loses writes (no append-only file) together with every replica that knew of them.
#pragma once

#include <asio/io_context.hpp>
#include <map>

#include "gateway/redis/client.h"
#include "gateway/token_store/sealed.h"
#include "gateway/token_store/store.h"

namespace gateway::token_store {

class RedisStore final : public Store {
 public:
  static constexpr std::chrono::milliseconds kLockLife{5'000}, kLockRenewal{1'500}, kRest{2'500};
  struct Options {
    std::chrono::milliseconds command{1'000};  // for one command
    std::chrono::milliseconds lock_life = kLockLife, lock_renewal = kLockRenewal, rest = kRest;
  };

  // `redis` outlives it.
  RedisStore(asio::io_context& io, redis::Client& redis, Sealed sealed)
      : RedisStore(io, redis, std::move(sealed), {}) {}
  RedisStore(asio::io_context& io, redis::Client& redis, Sealed sealed, Options options);

  ~RedisStore() override;

  void start(std::function<void()> on_change) override;
  void stop() override;
  asio::awaitable<LoadResult> load() override;
  asio::awaitable<LockResult> lock(std::string id) override;
  asio::awaitable<SaveResult> save(Grant grant) override;

 private:
  class RedisLease;
  asio::io_context& io_;
  redis::Client& redis_;
  Sealed sealed_;
  Options options_;
  std::shared_ptr<std::function<void()>> on_change_;  // shared with the subscription, emptied by stop()
  std::map<std::string, std::string> held_;  // grant id, the token of its lock: a save gives the right back with it
  std::shared_ptr<bool> open_ = std::make_shared<bool>(true);  // a lease that goes later gives nothing back
};

}  // namespace gateway::token_store
