// This replica's standing with the shared Redis: whether the shared windows may be used, since when not, and how many
// replicas live. Renews the lease and agrees on the epoch. Asio thread only; held by shared_ptr while its loop runs.
#pragma once

#include <asio/awaitable.hpp>
#include <asio/io_context.hpp>
#include <asio/steady_timer.hpp>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "gateway/redis/client.h"
#include "policies/instant.h"

namespace gateway::limiter {

class ReplicaLink : public std::enable_shared_from_this<ReplicaLink> {
 public:
  enum class State { Unmet, Lost, Quarantined, Shared };  // Unmet: never joined since the start

  struct Options {
    std::string prefix;
    policies::Duration lease, quarantine;
  };
  struct Events {
    std::function<void()> on_lost;                   // left Shared, or its first quarantine
    std::function<asio::awaitable<bool>()> reserve;  // again and again while Quarantined; true: all is written
    std::function<asio::awaitable<bool>()> restore;  // the same while Shared
  };
  ReplicaLink(asio::io_context& io, redis::Client& redis, Options options, Events events);

  void start();
  void stop();

  State state();  // Shared only on the very connection that was joined on
  const std::string& nonce() const { return nonce_; }
  const std::string& replica() const { return replica_; }
  std::uint64_t replicas() const { return replicas_; }
  bool newborn() const { return newborn_; }  // never was Shared: it holds nothing from before
  std::string epoch_key() const { return options_.prefix + "epoch"; }
  std::string replicas_key() const { return options_.prefix + "replicas"; }

  void failed();                           // a call had no reply or an error: a few in a row lose the link
  void lose();                             // it may be alone
  void answered(std::uint64_t replicas) {  // a step's reply, with the live replicas
    failures_ = 0;
    count(replicas);
  }
  // Outside the shared window: what that shows on return is not all. In a quarantine the reservations stand for it, as
  // long as they are renewed.
  void granted_alone() { (state_ == State::Quarantined ? reserved_ : alone_) = true; }
  void quarantine_over() { timer_.cancel(); }  // a script said so: joins again at once
  void displaced();                            // a script said that the epoch is another

 private:
  asio::awaitable<void> run();
  asio::awaitable<bool> join(bool ready);
  asio::awaitable<void> pause(policies::Duration duration);
  void count(std::uint64_t live);

  asio::io_context& io_;
  redis::Client& redis_;
  Options options_;
  Events events_;
  State state_ = State::Unmet;
  std::string replica_, nonce_;
  std::uint64_t replicas_ = 1;
  std::optional<policies::Instant> fewer_since_;  // Redis counts fewer than that
  std::uint64_t joined_connection_ = 0;
  policies::Duration quarantine_left_{0};
  int failures_ = 0;
  bool newborn_ = true;
  bool alone_ = false;     // granted since a quarantine began for that
  bool reserved_ = false;  // granted in the quarantine
  bool stopped_ = false;
  asio::steady_timer timer_;
};

}  // namespace gateway::limiter
