// Keeps one connection: dials, waits until it closes, dials again with growing pauses, until stop(). One io_context
// thread. A coroutine of its own holds it alive while it runs.
#pragma once

#include <asio/cancellation_signal.hpp>
#include <random>

#include "gateway/redis/dialler.h"

namespace gateway::redis {

class Supervisor : public std::enable_shared_from_this<Supervisor> {
 public:
  using OnUp = std::function<void(const Ready&)>;
  using OnDown = std::function<void(const std::string& reason)>;  // closed, or not reached; not called by stop()

  Supervisor(asio::io_context& io, std::shared_ptr<const Options> options, OnUp on_up, OnDown on_down);
  void start();
  void stop();  // closes the connection; no callback after this

 private:
  static asio::awaitable<void> run(std::shared_ptr<Supervisor> self);
  static asio::awaitable<std::string> attempt(std::shared_ptr<Supervisor> self);
  std::chrono::milliseconds next_pause();

  asio::io_context& io_;
  std::shared_ptr<const Options> options_;
  std::shared_ptr<Dialler> dialler_;
  OnUp on_up_;
  OnDown on_down_;
  bool stopped_ = false;
  std::shared_ptr<Connection> connection_;
  std::shared_ptr<asio::cancellation_signal> cancel_ = std::make_shared<asio::cancellation_signal>();
  Event pause_;
  int failures_ = 0;
  std::minstd_rand random_{std::random_device{}()};  // replicas must not dial in step
};

}  // namespace gateway::redis
