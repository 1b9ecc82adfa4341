#include "gateway/webhooks/seen_ids.h"

#include <doctest/doctest.h>

#include "tests/gateway/redis/harness.h"

using gateway::webhooks::SeenIds;
using Seen = SeenIds::Seen;
using namespace redis_test;

TEST_SUITE_BEGIN("webhooks");

TEST_CASE("one of two that take the same webhook has it, in one process and across replicas") {
  RedisServer server;
  Session session(options(server.url()));
  for (auto* redis : {static_cast<Client*>(nullptr), &session.client}) {
    SeenIds one(redis), other(redis);
    SeenIds& replica = redis == nullptr ? one : other;
    run(session.io, [&]() -> asio::awaitable<void> {
      CHECK(co_await one.look("w1") == Seen::New);
      CHECK(co_await one.look("w1") == Seen::New);  // looking takes nothing
      CHECK(co_await one.take("w1", 1min) == Seen::New);
      CHECK(co_await replica.look("w1") == Seen::Before);
      CHECK(co_await replica.take("w1", 1min) == Seen::Before);
      CHECK(co_await replica.look("w2") == Seen::New);
    });
  }
}

TEST_CASE("a webhook is remembered for its time and not for ever") {
  RedisServer server;
  Session session(options(server.url()));
  for (auto* redis : {static_cast<Client*>(nullptr), &session.client}) {
    SeenIds ids(redis);
    run(session.io, [&]() -> asio::awaitable<void> {
      CHECK(co_await ids.take("short", 1ms) == Seen::New);
      const auto deadline = Clock::now() + 10s;
      while (co_await ids.look("short") == Seen::Before && Clock::now() < deadline) co_await pause_for(1ms);
      CHECK(co_await ids.take("short", 1min) == Seen::New);
    });
  }
}

TEST_CASE("with Redis away nobody can say whether a webhook was taken") {
  RedisServer server;
  Session session(options(server.url()));
  SeenIds ids(&session.client);
  server.kill();
  run(session.io, [&]() -> asio::awaitable<void> {
    CHECK(co_await ids.look("w1") == Seen::Unknown);
    CHECK(co_await ids.take("w1", 1min) == Seen::Unknown);
  });
}

TEST_SUITE_END();
