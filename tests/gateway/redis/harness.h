// Runs coroutines against a redis::Client on an io_context of the test's own thread.
#pragma once

#include <doctest/doctest.h>

#include <asio/co_spawn.hpp>
#include <asio/io_context.hpp>
#include <asio/steady_timer.hpp>
#include <asio/use_awaitable.hpp>
#include <functional>
#include <optional>

#include "gateway/redis/client.h"
#include "tests/support/redis_server.h"

namespace redis_test {

using namespace std::chrono_literals;
using gateway::redis::Array;
using gateway::redis::Client;
using gateway::redis::Error;
using gateway::redis::Nil;
using gateway::redis::Options;
using gateway::redis::Result;
using gateway::redis::Script;
using gateway::redis::Status;
using gateway::redis::Unavailable;
using gateway::redis::Value;
using Reason = gateway::redis::Unavailable::Reason;
using Clock = std::chrono::steady_clock;
using test_support::RedisServer;

// Slow machines and sanitizers: limits that are not what a test is about are long.
inline Options options(const std::string& url) {
  Options out;
  out.url = gateway::redis::parse_url(url);
  out.timeout = 5s;
  out.connect_timeout = 5s;
  out.backoff_min = 5ms;
  out.backoff_max = 50ms;
  return out;
}

// Runs `io` until the coroutine is done; what it threw is thrown.
template <typename Function>
void run(asio::io_context& io, Function function, std::chrono::seconds limit = 20s) {
  bool done = false;
  std::exception_ptr failure;
  asio::co_spawn(io, std::move(function), [&](std::exception_ptr error) {
    done = true;
    failure = error;
  });
  const auto deadline = Clock::now() + limit;
  io.restart();
  while (!done && Clock::now() < deadline) io.run_one_until(deadline);
  if (failure) std::rethrow_exception(failure);
  REQUIRE_MESSAGE(done, "the coroutine did not end in time");
}

inline asio::awaitable<void> pause_for(std::chrono::milliseconds time) {
  asio::steady_timer timer(co_await asio::this_coro::executor, time);
  co_await timer.async_wait(asio::use_awaitable);
}

// Looks again every few milliseconds.
inline asio::awaitable<bool> until(std::function<bool()> condition, std::chrono::milliseconds limit = 10s) {
  const auto deadline = Clock::now() + limit;
  while (!condition() && Clock::now() < deadline) co_await pause_for(2ms);
  co_return condition();
}

inline std::optional<Reason> unavailable(const Result& result) {
  const auto* gone = std::get_if<Unavailable>(&result);
  return gone ? std::optional(gone->reason) : std::nullopt;
}

template <typename T>
std::optional<T> as(const Result& result) {
  const auto* value = std::get_if<Value>(&result);
  const auto* typed = value ? std::get_if<T>(&value->data) : nullptr;
  return typed ? std::optional<T>(*typed) : std::nullopt;
}

inline std::string text(const Result& result) { return as<std::string>(result).value_or("(no string)"); }
inline std::string error(const Result& result) {
  const auto value = as<Error>(result);
  return value ? value->message : "(no error)";
}

// A client that is up.
struct Session {
  explicit Session(Options given) : client(io, std::move(given)) {
    client.start();
    run(io, [this]() -> asio::awaitable<void> {
      const bool up = co_await client.connected(10s);
      REQUIRE_MESSAGE(up, client.status().error);
    });
  }
  asio::io_context io;
  Client client;
};

}  // namespace redis_test
