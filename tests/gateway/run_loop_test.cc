#include "gateway/run_loop.h"

#include <doctest/doctest.h>

#include <asio/co_spawn.hpp>
#include <asio/detached.hpp>
#include <asio/executor_work_guard.hpp>
#include <asio/post.hpp>
#include <asio/steady_timer.hpp>
#include <asio/use_awaitable.hpp>
#include <memory>
#include <stdexcept>

TEST_CASE("a handler that throws is counted, and those behind it run") {
  asio::io_context io;
  const auto before = gateway::handler_failures();
  int ran = 0;
  for (int i = 0; i < 3; ++i) {
    asio::post(io, [] { throw std::runtime_error("no descriptor left"); });
    asio::post(io, [&] { ++ran; });
  }
  gateway::run_loop(io);
  CHECK(ran == 3);
  CHECK(gateway::handler_failures() == before + 3);
}

TEST_CASE("what still waits when a loop lets go ends then, not with the loop") {
  gateway::Loop loop;
  const auto part = std::make_shared<int>(0);
  asio::co_spawn(
      loop,
      [part]() -> asio::awaitable<void> {
        asio::steady_timer never(co_await asio::this_coro::executor, std::chrono::hours(1));
        co_await never.async_wait(asio::use_awaitable);
      },
      asio::detached);
  asio::post(loop, [&] { loop.stop(); });
  gateway::run_loop(loop);
  CHECK(part.use_count() > 1);
  loop.let_go();
  CHECK(part.use_count() == 1);
}

TEST_CASE("a loop that is stopped returns") {
  asio::io_context io;
  const auto work = asio::make_work_guard(io);
  asio::post(io, [&] { io.stop(); });
  gateway::run_loop(io);
  CHECK(io.stopped());
}
