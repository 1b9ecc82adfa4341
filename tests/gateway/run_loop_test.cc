#include "gateway/run_loop.h"

#include <doctest/doctest.h>

#include <asio/executor_work_guard.hpp>
#include <asio/post.hpp>
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

TEST_CASE("a loop that is stopped returns") {
  asio::io_context io;
  const auto work = asio::make_work_guard(io);
  asio::post(io, [&] { io.stop(); });
  gateway::run_loop(io);
  CHECK(io.stopped());
}
