// One table of tests for both stores: the window in the process and the one in a real Redis.
#include "gateway/limiter/limiter.h"

#include <asio/bind_cancellation_slot.hpp>
#include <asio/cancellation_signal.hpp>

#include "tests/gateway/limiter/rig.h"

using namespace limiter_test;

TEST_SUITE_BEGIN("limiter");

TEST_CASE("N permits go at once, the next comes one interval after the first end") {
  for (const auto backend : kBackends) {
    CAPTURE(static_cast<int>(backend));
    Rig rig(backend, {.limit = {3, 150ms}});
    run(rig.io, [&]() -> asio::awaitable<void> {
      std::vector<PermitOrRefusal> held;
      for (int i = 0; i < 3; ++i) held.push_back(co_await (*rig).acquire({.location = "L"}));
      for (const auto& each : held) CHECK_FALSE(refused(each).has_value());
      co_await pause_for(20ms);
      const auto ended = Clock::now();
      held.pop_back();
      const auto next = co_await (*rig).acquire({.location = "L"});
      REQUIRE_FALSE(refused(next).has_value());
      CHECK(Clock::now() - ended >= 150ms);
      CHECK(std::get<Permit>(next).waited() >= 149ms);
      const auto other = co_await (*rig).acquire({.location = "another", .max_wait = 0ms});
      CHECK_FALSE(refused(other).has_value());
    });
  }
}

TEST_CASE("a permit that was not used is free at once, and so is one of a client that hung up while it waited") {
  for (const auto backend : kBackends) {
    CAPTURE(static_cast<int>(backend));
    Rig rig(backend, {.limit = {1, 10s}});
    run(rig.io, [&]() -> asio::awaitable<void> {
      auto first = co_await (*rig).acquire({.location = "L"});
      asio::cancellation_signal hang_up;
      bool gone = false;
      asio::co_spawn(
          rig.io, [&]() -> asio::awaitable<void> { auto outcome = co_await (*rig).acquire({.location = "L"}); },
          asio::bind_cancellation_slot(hang_up.slot(), [&](std::exception_ptr) { gone = true; }));
      const bool waits = co_await until([&] { return (*rig).snapshot().at(0).queue == 1; });
      CHECK(waits);
      hang_up.emit(asio::cancellation_type::terminal);
      const bool left = co_await until([&] { return gone; });
      CHECK(left);
      CHECK((*rig).snapshot().at(0).queue == 0);
      std::get<Permit>(first).unsent();
      const auto second = co_await (*rig).acquire({.location = "L", .max_wait = 2s});
      CHECK_FALSE(refused(second).has_value());
    });
  }
}

TEST_CASE(
    "a permit asked for ahead is there when it is needed, goes back when it is not, and is none that others lack") {
  for (const auto backend : kBackends) {
    CAPTURE(static_cast<int>(backend));
    Rig rig(backend, {.limit = {4, 10s}, .client_rates = {0, 10}});
    run(rig.io, [&]() -> asio::awaitable<void> {
      const auto until = [&](std::size_t in_flight, std::uint64_t remaining) -> asio::awaitable<void> {
        for (const auto end = Clock::now() + 10s; Clock::now() < end; co_await pause_for(1ms)) {
          const auto state = (*rig).snapshot().front();
          if (state.in_flight == in_flight && state.budget.remaining == remaining) co_return;
        }
        FAIL("neither came nor went back");
      };
      CHECK((*rig).ask_ahead({.location = "L"}) == nullptr);  // what is left is not known
      const auto first = co_await (*rig).acquire({.location = "L"});
      CHECK((*rig).ask_ahead({.location = "L", .client = 1}) == nullptr);
      CHECK((*rig).ask_ahead({.location = "L", .urgency = 7}) == nullptr);

      auto ahead = (*rig).ask_ahead({.location = "L"});
      REQUIRE(ahead != nullptr);
      co_await until(2, 2);
      auto used = co_await (*rig).acquire({.location = "L", .max_wait = 0ms, .ahead = std::move(ahead)});
      REQUIRE_FALSE(refused(used).has_value());
      CHECK((*rig).snapshot().front().in_flight == 2);
      CHECK((*rig).ask_ahead({.location = "L"}) == nullptr);  // half is left
      std::get<Permit>(used).unsent();
      co_await until(1, 3);

      for (int i = 0; i < 3; ++i) {
        auto dropped = (*rig).ask_ahead({.location = "L"});
        REQUIRE(dropped != nullptr);
        if (i > 0) co_await until(2, 2);  // else before it came
        dropped = nullptr;
        co_await until(1, 3);
      }
      std::vector<PermitOrRefusal> rest;
      for (int i = 0; i < 3; ++i) rest.push_back(co_await (*rig).acquire({.location = "L", .max_wait = 0ms}));
      for (const auto& each : rest) CHECK_FALSE(refused(each).has_value());
      CHECK(refused(co_await (*rig).acquire({.location = "L", .max_wait = 0ms})) == RefusalReason::WaitTooLong);
    });
  }
}

TEST_CASE("urgent requests go first, equal ones in turn over clients, and a joined request moves up") {
  for (const auto backend : kBackends) {
    CAPTURE(static_cast<int>(backend));
    Rig rig(backend, {.limit = {1, 20ms}});
    std::vector<int> served;
    run(rig.io, [&]() -> asio::awaitable<void> {
      auto first = co_await (*rig).acquire({.location = "L"});
      ask(rig, {.location = "L", .client = 1, .urgency = 3}, 1, served);
      ask(rig, {.location = "L", .client = 1, .urgency = 3}, 2, served);
      ask(rig, {.location = "L", .client = 2, .urgency = 3}, 3, served);
      ask(rig, {.location = "L", .client = 2, .urgency = 0}, 4, served);
      ask(rig, {.location = "L", .client = 3, .urgency = 7, .flight = 77}, 5, served);
      const bool wait = co_await until([&] { return (*rig).snapshot().at(0).queue == 5; });
      CHECK(wait);
      (*rig).improve("L", 77, 1, 30s);
      (*rig).improve("L", 78, 1, 30s);
      std::get<Permit>(first).ended();
      const bool all = co_await until([&] { return served.size() == 5; });
      CHECK(all);
    });
    CHECK(served == std::vector<int>{4, 5, 1, 3, 2});
  }
}

TEST_CASE("who joins with no limit of its own lets a wait that was short go on") {
  for (const auto backend : kBackends) {
    CAPTURE(static_cast<int>(backend));
    Rig rig(backend, {.limit = {1, 20ms}});
    std::vector<int> served;
    std::vector<PermitOrRefusal> outcomes;
    run(rig.io, [&]() -> asio::awaitable<void> {
      auto first = co_await (*rig).acquire({.location = "L"});
      ask(rig, {.location = "L", .max_wait = 50ms, .flight = 77}, 1, served, &outcomes);
      const bool waits = co_await until([&] { return (*rig).snapshot().at(0).queue == 1; });
      CHECK(waits);
      (*rig).improve("L", 77, 3, -1ms);
      co_await pause_for(100ms);
      std::get<Permit>(first).ended();
      const bool came = co_await until([&] { return served.size() == 1; });
      REQUIRE(came);
      CHECK_FALSE(refused(outcomes.front()).has_value());
    });
  }
}

TEST_CASE(
    "a wait that cannot be met is refused at once with the time it would take, one that runs out at its deadline") {
  for (const auto backend : kBackends) {
    CAPTURE(static_cast<int>(backend));
    Rig rig(backend, {.limit = {1, 500ms}});
    run(rig.io, [&]() -> asio::awaitable<void> {
      std::vector<int> served;
      { auto first = co_await (*rig).acquire({.location = "L"}); }
      for (int i = 0; i < 9; ++i) ask(rig, {.location = "L"}, i, served);
      const bool wait = co_await until([&] { return (*rig).snapshot().at(0).queue == 9; });
      CHECK(wait);
      const auto asked = Clock::now();
      const auto outcome = co_await (*rig).acquire({.location = "L", .max_wait = 1s});
      CHECK(Clock::now() - asked < 50ms);
      REQUIRE(refused(outcome) == RefusalReason::WaitTooLong);
      const auto retry_after = std::get<Refusal>(outcome).retry_after;
      CHECK(retry_after > 4s);
      CHECK(retry_after < 5'500ms);
      // Another client's turn comes second: its lower bound is met, its deadline is not.
      const auto late = co_await (*rig).acquire({.location = "L", .client = 5, .max_wait = 1ms});
      CHECK(refused(late).has_value());
      CHECK((*rig).snapshot().at(0).queue == 9);
    });
  }
}

TEST_CASE("a full queue refuses, but makes room for a client that has less in it") {
  Rig rig(Backend::Process, {.limit = {1, 10s}, .queue = 2});
  std::vector<int> served;
  std::vector<PermitOrRefusal> outcomes;
  run(rig.io, [&]() -> asio::awaitable<void> {
    const auto first = co_await (*rig).acquire({.location = "L"});
    ask(rig, {.location = "L", .client = 1}, 1, served, &outcomes);
    ask(rig, {.location = "L", .client = 1}, 2, served, &outcomes);
    const bool wait = co_await until([&] { return (*rig).snapshot().at(0).queue == 2; });
    CHECK(wait);
    const auto third = co_await (*rig).acquire({.location = "L", .client = 1});
    CHECK(refused(third) == RefusalReason::QueueFull);
    ask(rig, {.location = "L", .client = 2}, 4, served, &outcomes);
    const bool displaced = co_await until([&] { return served == std::vector<int>{2}; });
    CHECK(displaced);
    CHECK(refused(outcomes.at(0)) == RefusalReason::QueueFull);
  });
}

TEST_CASE("a 429 pauses the location, then one request at a time asks until the upstream has room again") {
  for (const auto backend : kBackends) {
    CAPTURE(static_cast<int>(backend));
    Rig rig(backend, {.limit = {5, 50ms}});
    run(rig.io, [&]() -> asio::awaitable<void> {
      { auto first = co_await (*rig).acquire({.location = "L"}); }
      const auto paused_at = Clock::now();
      CHECK((*rig).observe("L", 429, {{"Retry-After", "1"}}) == 1s);
      CHECK((*rig).budget("L").remaining == 0);
      const auto refusal = co_await (*rig).acquire({.location = "L", .max_wait = 100ms});
      CHECK(refused(refusal) == RefusalReason::WaitTooLong);
      auto probe = co_await (*rig).acquire({.location = "L"});
      REQUIRE_FALSE(refused(probe).has_value());
      CHECK(Clock::now() - paused_at >= 1s);
      const auto second = co_await (*rig).acquire({.location = "L", .max_wait = 60ms});
      CHECK(refused(second) == RefusalReason::Deadline);
      (*rig).observe("L", 200, {});
      const auto third = co_await (*rig).acquire({.location = "L", .max_wait = 5s});
      CHECK_FALSE(refused(third).has_value());
    });
  }
}

TEST_CASE("a pause in Redis that no build of now would write is shortened to an hour when it is read") {
  Rig rig(Backend::Redis, {.limit = {5, 50ms}});
  auto& server = shared_redis();
  const std::string far = "99999999999999999";  // microseconds: in the year 5138
  server.command({"HSET", "gateway:limit:L:state", "paused", far, "used", "3", "day_ends", far, "background", far});
  run(rig.io, [&]() -> asio::awaitable<void> {
    { const auto shared = co_await (*rig).acquire({.location = "other"}); }  // from here on Redis is asked
    const auto outcome = co_await (*rig).acquire({.location = "L", .max_wait = 1s});
    REQUIRE(std::holds_alternative<Refusal>(outcome));
    const auto& refusal = std::get<Refusal>(outcome);
    CHECK(refusal.retry_after <= Duration(1h));
    CHECK(refusal.retry_after > Duration(59min));
  });
  const auto now = std::chrono::duration_cast<Duration>(std::chrono::system_clock::now().time_since_epoch());
  const auto kept = [&](const char* field) {
    const auto reply = server.command({"HGET", "gateway:limit:L:state", field});
    return Duration(std::atoll(reply.substr(reply.find('\n') + 1).c_str()));
  };
  CHECK(kept("paused") <= now + 1h);
  CHECK(kept("day_ends") <= now + 24h);
  CHECK(kept("background") <= now + 1s);
}

TEST_CASE("who joined just before it was learnt that nothing is left is refused as soon as that is known") {
  for (const auto backend : kBackends) {
    CAPTURE(static_cast<int>(backend));
    Rig rig(backend, {.limit = {100, 10s}});
    run(rig.io, [&]() -> asio::awaitable<void> {
      { const auto first = co_await (*rig).acquire({.location = "L"}); }
      const auto last = co_await (*rig).acquire({.location = "L"});
      (*rig).observe("L", 200, {{"X-RateLimit-Remaining", "0"}});
      const auto asked_at = Clock::now();
      const auto outcome = co_await (*rig).acquire({.location = "L", .max_wait = 5s});
      CHECK(refused(outcome) == RefusalReason::WaitTooLong);
      CHECK(std::get<Refusal>(outcome).retry_after > Duration(5s));
      CHECK(Clock::now() - asked_at < 4s);
    });
  }
}

TEST_CASE("what the upstream states is believed: less remaining, a lower limit, another interval") {
  for (const auto backend : kBackends) {
    CAPTURE(static_cast<int>(backend));
    Rig rig(backend, {.limit = {100, 300ms}});
    run(rig.io, [&]() -> asio::awaitable<void> {
      auto first = co_await (*rig).acquire({.location = "L"});
      (*rig).observe(
          "L", 200,
          {{"X-RateLimit-Max", "4"}, {"X-RateLimit-Remaining", "1"}, {"X-RateLimit-Interval-Milliseconds", "300"}});
      const bool corrected = co_await until([&] { return (*rig).budget("L").remaining == 1; });
      CHECK(corrected);
      CHECK((*rig).budget("L").limit == policies::RateLimit{4, 300ms});
      const auto at = Clock::now();
      const auto second = co_await (*rig).acquire({.location = "L"});
      CHECK(Clock::now() - at < 200ms);
      const auto third = co_await (*rig).acquire({.location = "L"});
      CHECK(Clock::now() - at >= 200ms);
      (*rig).observe("L", 200, {{"X-RateLimit-Max", "nonsense"}, {"X-RateLimit-Remaining", "-3"}});
      CHECK((*rig).budget("L").limit.requests == 4);
    });
  }
}

TEST_CASE("a Redis that is full gives permits all the same, and the window stays exact") {
  RedisServer server;
  Rig rig(Backend::Redis, {.limit = {3, 300ms}, .max_wait = 5s}, 2, &server);
  CHECK(server.command({"CONFIG", "SET", "maxmemory-policy", "noeviction"}) == "+OK\r\n");
  CHECK(server.command({"CONFIG", "SET", "maxmemory", "1"}) == "+OK\r\n");
  CHECK(server.command({"SET", "x", "y"}).starts_with("-OOM"));
  run(rig.io, [&]() -> asio::awaitable<void> {
    const auto began = Clock::now();
    std::vector<Instant> granted;
    for (int i = 0; i < 9; ++i) {
      auto asked = co_await rig.limiters[static_cast<std::size_t>(i) % 2]->acquire({.location = "L"});
      CHECK_FALSE(refused(asked).has_value());
      granted.push_back(std::chrono::duration_cast<Instant>(Clock::now().time_since_epoch()));
    }
    for (std::size_t i = 3; i < granted.size(); ++i) CHECK(granted[i] - granted[i - 3] >= 290ms);
    CHECK(Clock::now() - began < 5s);
  });
}

TEST_CASE("a client keeps to its own rate, and its retries are not counted twice") {
  Rig rig(Backend::Process, {.limit = {100, 1s}, .client_rates = {0, 10}});
  run(rig.io, [&]() -> asio::awaitable<void> {
    std::vector<PermitOrRefusal> held;
    for (int i = 0; i < 10; ++i)
      held.push_back(co_await (*rig).acquire({.location = "L", .client = 1, .max_wait = 0ms}));
    for (const auto& each : held) CHECK_FALSE(refused(each).has_value());
    const auto over = co_await (*rig).acquire({.location = "L", .client = 1, .max_wait = 10ms});
    CHECK(refused(over) == RefusalReason::ClientRate);
    const auto again = co_await (*rig).acquire({.location = "L", .client = 1, .max_wait = 10ms, .retry = true});
    CHECK_FALSE(refused(again).has_value());
    const auto other = co_await (*rig).acquire({.location = "L", .client = 0, .max_wait = 10ms});
    CHECK_FALSE(refused(other).has_value());
    const auto waited = co_await (*rig).acquire({.location = "L", .client = 1, .max_wait = 5s});
    CHECK_FALSE(refused(waited).has_value());
  });
}

TEST_SUITE_END();
