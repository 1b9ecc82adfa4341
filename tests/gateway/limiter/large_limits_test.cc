// Limits a thousand times the product's: no script's time may grow with them, since one that takes longer than
// `redis.timeout` counts as a Redis that is lost. And what is left of a loss when its quarantine is over.
#include <asio/detached.hpp>
#include <cstdlib>

#include "gateway/limiter/redis_store.h"
#include "gateway/limiter/scripts.h"
#include "tests/gateway/limiter/rig.h"
#include "tests/support/tcp_relay.h"

using namespace limiter_test;
using gateway::limiter::RedisStore;
using gateway::limiter::Step;
using test_support::TcpRelay;

namespace {

constexpr std::uint64_t kMany = 100'000;
const std::string kSlots = "gateway:limit:L:slots", kCounted = "gateway:limit:L:counted";

// A client and the limiter's scripts, called as a replica's store would.
struct Caller {
  Caller() : redis(io, redis_test::options(server.url())) {
    redis.start();
    run(io, [&]() -> asio::awaitable<void> { CHECK(co_await redis.connected(10s)); });
  }
  ~Caller() { redis.stop(); }

  asio::awaitable<Array> call(std::shared_ptr<const Script> script, std::vector<std::string> keys,
                              std::vector<std::string> arguments) {
    const auto result = co_await redis.eval(std::move(script), std::move(keys), std::move(arguments));
    if (const auto array = as<Array>(result)) co_return *array;
    co_return Array{Value{as<std::int64_t>(result).value_or(-1)}};
  }
  asio::awaitable<std::string> join(std::string replica, std::string before, bool alone, int known) {
    const auto nonce = "nonce-" + std::to_string(++ids);
    const auto reply =
        co_await call(gateway::limiter::scripts().join, {"gateway:limit:epoch", "gateway:limit:replicas"},
                      {nonce, redis.status().run_id, before, replica, "3000000", "60000000", alone ? "1" : "0",
                       std::to_string(known), "0"});
    co_return std::get<std::string>(reply.at(0).data);
  }
  asio::awaitable<std::int64_t> take_back(std::string nonce, std::string replica, std::string reservations,
                                          std::vector<std::string> slots = {},
                                          std::vector<std::string> day = {"0", "0", "0", "0"}) {
    std::vector<std::string> all{nonce, replica, "10000000", "60000000", reservations};
    all.insert(all.end(), day.begin(), day.end());
    all.insert(all.end(), slots.begin(), slots.end());
    const auto reply = co_await call(gateway::limiter::scripts().take_back,
                                     {kSlots, kCounted, "gateway:limit:L:state", "gateway:limit:epoch"}, all);
    co_return std::get<std::int64_t>(reply.at(0).data);
  }
  struct Reply {
    std::int64_t granted, taken, next_free, all_free;
  };
  asio::awaitable<Reply> step(std::string nonce, std::string replica, int asks, std::string remaining = "-1",
                              std::string interval = "1000000") {
    std::vector<std::string> all{nonce,
                                 replica,
                                 std::to_string(kMany),
                                 interval,
                                 "1000000",
                                 remaining,
                                 "0",
                                 "0",
                                 "-1",
                                 "-1",
                                 "1",
                                 "0",
                                 "0",
                                 std::to_string(asks),
                                 std::to_string(asks),
                                 "0",
                                 "0",
                                 "-1",
                                 "0"};
    for (int i = 0; i < asks; ++i) all.push_back(std::to_string(++ids));
    const auto reply = co_await call(
        gateway::limiter::scripts().step,
        {kSlots, kCounted, "gateway:limit:L:state", "gateway:limit:epoch", "gateway:limit:replicas"}, all);
    REQUIRE(reply.size() == 9);
    const auto number = [&](std::size_t i) { return std::get<std::int64_t>(reply[i].data); };
    co_return Reply{number(0), number(1), number(2), number(3)};
  }
  // As many slots, all free that long from now.
  void fill(std::uint64_t slots, std::chrono::microseconds left) {
    server.command({"EVAL",
                    "local t = redis.call('TIME') for i = 1, ARGV[1] do redis.call('ZADD', KEYS[1], "
                    "string.format('%.0f', t[1] * 1000000 + t[2] + ARGV[2]), 'filled:' .. i) end",
                    "1", kSlots, std::to_string(slots), std::to_string(left.count())},
                   20s);
    server.command({"CONFIG", "RESETSTAT"});
  }
  // The mean time of the scripts since the last fill(), as Redis measured it.
  double script_ms() {
    const auto text = server.command({"INFO", "commandstats"});
    double calls = 0, microseconds = 0;
    for (const std::string name : {"cmdstat_evalsha:calls=", "cmdstat_eval:calls="})
      if (const auto at = text.find(name); at != std::string::npos) {
        calls += std::atof(text.c_str() + at + name.size());
        microseconds += std::atof(text.c_str() + text.find("usec=", at) + 5);
      }
    return microseconds / calls / 1e3;
  }

  RedisServer server;
  asio::io_context io;
  Client redis;
  std::uint64_t ids = 0;
};

constexpr double kShort = 10;  // milliseconds: a fifth of the default `redis.timeout`

}  // namespace

TEST_SUITE_BEGIN("limiter");

TEST_CASE("reserving 100,000 slots, renewing and replacing them takes Redis no time, and the window stays exact") {
  Caller caller;
  caller.fill(1, 60s);
  run(caller.io, [&]() -> asio::awaitable<void> {
    const auto nonce = co_await caller.join("a", "", false, 0);
    const auto again = co_await caller.join("a", nonce, true, 1);  // granted alone: a quarantine of a minute
    CHECK(again != nonce);
    for (int i = 0; i < 5; ++i) CHECK(co_await caller.take_back(again, "a", std::to_string(kMany - 10)) == 1);
    const auto full = co_await caller.step(again, "b", 20);
    CHECK(full.granted == 9);  // one was there before
    CHECK(full.taken == static_cast<std::int64_t>(kMany));
    CHECK(full.next_free > 900'000);  // the earliest that the slot of a request under way can be free
    CHECK(co_await caller.take_back(again, "a", "-1", {"1001", "500000", "1002", "60000000"}) == 1);
    const auto both = co_await caller.step(again, "b", 1);
    CHECK(both.granted == 0);  // not the last of its slots: the reservations stay
    CHECK(co_await caller.take_back(again, "a", "0", {"1003", "60000000"}) == 1);
    const auto exact = co_await caller.step(again, "b", 100);
    CHECK(exact.granted == 100);
    CHECK(exact.taken == 1 + 9 + 3 + 100);
  });
  MESSAGE("a script took ", caller.script_ms(), " ms");
  CHECK(caller.script_ms() < kShort);
}

TEST_CASE("a day's count that is told again, because its reply was lost, is added once") {
  Caller caller;
  run(caller.io, [&]() -> asio::awaitable<void> {
    const auto nonce = co_await caller.join("a", "", false, 0);
    (co_await caller.step(nonce, "b", 2));
    const auto used = [&] { return caller.server.command({"HGET", "gateway:limit:L:state", "used"}); };
    const std::vector<std::string> five{"5", "5", "60000000", "1"}, given_back{"5", "-1", "60000000", "2"};
    for (int i = 0; i < 2; ++i) CHECK(co_await caller.take_back(nonce, "a", "0", {}, five) == 1);
    CHECK(used() == "$1\r\n7\r\n");
    for (int i = 0; i < 2; ++i) CHECK(co_await caller.take_back(nonce, "a", "0", {}, given_back) == 1);
    CHECK(used() == "$1\r\n6\r\n");
  });
}

TEST_CASE("an upstream that states that nothing is left of 100,000 is believed in no time, for one interval") {
  Caller caller;
  caller.fill(10, 60s);
  run(caller.io, [&]() -> asio::awaitable<void> {
    const auto nonce = co_await caller.join("a", "", false, 0);
    for (int remaining = 50; remaining >= 0; --remaining) {
      const auto reply = co_await caller.step(nonce, "a", 0, std::to_string(remaining), "400000");
      CHECK(reply.taken == static_cast<std::int64_t>(kMany) - remaining);
    }
    const auto full = co_await caller.step(nonce, "a", 1, "-1", "400000");
    CHECK(full.granted == 0);
    CHECK(full.next_free > 0);
    CHECK(full.next_free <= 400'000);
    bool granted = false;
    for (const auto deadline = Clock::now() + 5s; !granted && Clock::now() < deadline; co_await pause_for(20ms))
      granted = (co_await caller.step(nonce, "a", 1, "-1", "400000")).granted == 1;
    CHECK(granted);
  });
  MESSAGE("a script took ", caller.script_ms(), " ms");
  CHECK(caller.script_ms() < kShort);
}

TEST_CASE("100,000 slots that are free at once are dropped little by little, and none of them counts") {
  Caller caller;
  run(caller.io, [&]() -> asio::awaitable<void> {
    const auto nonce = co_await caller.join("a", "", false, 0);
    (co_await caller.step(nonce, "a", 1));
    caller.fill(kMany - 1, 0us);
    for (int i = 0; i < 10; ++i) {
      const auto reply = co_await caller.step(nonce, "a", 1);
      CHECK(reply.granted == 1);
      CHECK(reply.taken == i + 2);
      CHECK(reply.all_free == 1'000'000);
    }
  });
  MESSAGE("a script took ", caller.script_ms(), " ms");
  CHECK(caller.script_ms() < kShort);
}

asio::awaitable<gateway::limiter::StepResult> result_of(RedisStore& store, Step step) {
  std::optional<gateway::limiter::StepResult> result;
  store.step("L", step, [&](auto later) { result = later; });
  while (!result) co_await pause_for(1ms);
  co_return *result;
}

TEST_CASE("a replica brings thousands of slots back in scripts of 500") {
  RedisServer server;
  asio::io_context io;
  Client redis(io, redis_test::options(server.url()));
  redis.start();
  RedisStore store(io, redis, {.hold = 60s, .quarantine = 2s});
  store.start();
  run(io, [&]() -> asio::awaitable<void> {
    std::uint64_t ids = 0, granted = 0;
    for (const auto deadline = Clock::now() + 10s; granted < 2'300 && Clock::now() < deadline;) {
      Step step{.limit = {kMany, 60s}};
      for (int i = 0; i < 460; ++i) step.asks.push_back(++ids);
      step.urgent = 460;
      const auto result = co_await result_of(store, step);
      granted += result.granted;
      if (result.granted == 0) co_await pause_for(10ms);
    }
    CHECK(granted == 2'300);
    server.restart();  // empty
    const auto deadline = Clock::now() + 10s;
    while (server.command({"ZCARD", kSlots}) != ":2300\r\n" && Clock::now() < deadline) co_await pause_for(20ms);
    CHECK(server.command({"ZCARD", kSlots}) == ":2300\r\n");
  });
  store.stop();
  redis.stop();
}

TEST_CASE("slots held of a location that nobody asks for any more are brought back before their reservations end") {
  RedisServer server;
  const policies::RateLimit limit{10, 4s};
  Rig rig(Backend::Redis, {.limit = limit, .upstream_timeout = 100ms, .quarantine = 500ms}, 2, &server);
  std::vector<Instant> granted;
  run(rig.io, [&]() -> asio::awaitable<void> {
    for (auto& limiter : rig.limiters) {
      auto first = co_await limiter->acquire({.location = "L"});
      CHECK_FALSE(refused(first).has_value());
      granted.push_back(gateway::limiter::now());
    }
    server.kill();
    for (int i = 0; i < 4; ++i) {  // its share, no more of it is asked for after
      const auto outcome = co_await rig.limiters[0]->acquire({.location = "L", .max_wait = 10s});
      CHECK_FALSE(refused(outcome).has_value());
      granted.push_back(gateway::limiter::now());
    }
    server.start();
    for (int i = 0; i < 12; ++i) {
      const auto outcome = co_await rig.limiters[1]->acquire({.location = "L", .max_wait = 20s});
      CHECK_FALSE(refused(outcome).has_value());
      granted.push_back(gateway::limiter::now());
    }
  });
  CHECK(Books{granted, {}}.most_in(limit.interval) <= limit.requests);
}

TEST_CASE("a new replica beside one whose link is lost in its quarantine waits for no more than two quarantines") {
  RedisServer server;
  TcpRelay relay(server.port());
  asio::io_context io;
  const auto client = [&](std::uint16_t port) {
    auto options = redis_test::options("redis://127.0.0.1:" + std::to_string(port));
    options.timeout = 200ms;
    auto made = std::make_unique<Client>(io, options);
    made->start();
    return made;
  };
  const LimiterOptions options{.limit = {kMany, 300ms}, .upstream_timeout = 200ms, .quarantine = 1s};
  auto old_redis = client(relay.port()), new_redis = client(server.port());
  Limiter old_one(io, options, old_redis.get());
  std::optional<Limiter> new_one;
  old_one.start();
  std::vector<std::unique_ptr<Client>> gone_redis;
  std::vector<std::unique_ptr<Limiter>> gone;  // with Redis: nobody's end of a quarantine but its time
  for (int i = 0; i < 2; ++i) {
    gone_redis.push_back(client(server.port()));
    gone.push_back(std::make_unique<Limiter>(io, options, gone_redis.back().get()));
    gone.back()->start();
  }
  run(
      io,
      [&]() -> asio::awaitable<void> {
        for (auto& each : gone) CHECK_FALSE(refused(co_await each->acquire({.location = "L"})));
        // So that the first knows of three.
        co_await pause_for(1'200ms);
        CHECK_FALSE(refused(co_await old_one.acquire({.location = "L"})));
        server.kill();
        CHECK_FALSE(refused(co_await old_one.acquire({.location = "L"})));
        gone.clear();
        for (auto& each : gone_redis) each->stop();
        server.start();
        const bool back = co_await until([&] { return old_redis->status().up; });
        CHECK(back);
        CHECK_FALSE(refused(co_await old_one.acquire({.location = "L"})));  // the quarantine has begun
        const auto began = Clock::now();
        new_one.emplace(io, options, new_redis.get());
        new_one->start();
        std::optional<Clock::time_point> served;
        asio::co_spawn(
            io,
            [&]() -> asio::awaitable<void> {
              const auto outcome = co_await new_one->acquire({.location = "L", .max_wait = 15s});
              if (!refused(outcome)) served = Clock::now();
            },
            asio::detached);
        for (int flaps = 0; flaps < 40 && !served; ++flaps) {
          relay.set(TcpRelay::Mode::Refuse);
          const bool lost = co_await until([&] { return !old_redis->status().up; });
          CHECK(lost);
          CHECK_FALSE(refused(co_await old_one.acquire({.location = "L"})));  // alone
          relay.set(TcpRelay::Mode::Pass);
          const bool again = co_await until([&] { return old_redis->status().up; });
          CHECK(again);
          co_await pause_for(150ms);
          CHECK_FALSE(refused(co_await old_one.acquire({.location = "L"})));  // on its reservations
        }
        const bool there = co_await until([&] { return served.has_value(); }, 10s);
        REQUIRE(there);
        MESSAGE("it waited ", std::chrono::duration<double>(*served - began).count(), " s for a quarantine of 1 s");
        CHECK(*served - began < 4s);  // a machine under load is late by as much again
      },
      60s);
  old_one.stop();
  new_one->stop();
  for (auto* each : {&old_redis, &new_redis}) (*each)->stop();
}

TEST_SUITE_END();
