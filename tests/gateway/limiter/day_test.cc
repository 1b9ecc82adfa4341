// The day's quota, over both stores: the window in the process and the one in a real Redis.
#include "tests/gateway/limiter/rig.h"

using namespace limiter_test;

TEST_SUITE_BEGIN("limiter");

TEST_CASE("the day's last part is kept for urgent requests, an exhausted day is refused with the time to its reset") {
  for (const auto backend : kBackends) {
    CAPTURE(static_cast<int>(backend));
    Rig rig(backend, {.limit = {100, 50ms}, .daily = 20, .daily_reserve = 0.1});
    run(rig.io, [&]() -> asio::awaitable<void> {
      std::vector<int> served;
      std::vector<PermitOrRefusal> outcomes;
      for (int i = 0; i < 20; ++i) ask(rig, {.location = "L", .urgency = 5}, i, served, &outcomes);
      const bool all = co_await until([&] { return outcomes.size() == 20; });
      CHECK(all);
      CHECK(std::count_if(outcomes.begin(), outcomes.end(), [](const auto& each) { return !refused(each); }) == 18);
      const bool counted = co_await until([&] { return (*rig).budget("L").daily_remaining == 2; });
      CHECK(counted);
      const auto background = co_await (*rig).acquire({.location = "L", .urgency = 4});
      CHECK(refused(background) == RefusalReason::DailyQuota);
      const auto urgent = co_await (*rig).acquire({.location = "L", .urgency = 3});
      CHECK_FALSE(refused(urgent).has_value());
      (*rig).observe("L", 200,
                     {{"X-RateLimit-Limit-Daily", "20"},
                      {"X-RateLimit-Daily-Remaining", "0"},
                      {"X-RateLimit-Daily-Reset", "60000"}});
      const bool exhausted = co_await until([&] { return (*rig).budget("L").daily_remaining == 0; });
      CHECK(exhausted);
      const auto last = co_await (*rig).acquire({.location = "L", .urgency = 0});
      REQUIRE(refused(last) == RefusalReason::DailyQuota);
      CHECK(std::get<Refusal>(last).retry_after > 50s);
      CHECK(std::get<Refusal>(last).retry_after <= 60s);
    });
  }
}

TEST_CASE("a used-up day whose end the upstream did not tell is asked about again after an hour") {
  for (const auto backend : kBackends) {
    CAPTURE(static_cast<int>(backend));
    Rig rig(backend, {.limit = {100, 50ms}, .daily = 1'000});
    run(rig.io, [&]() -> asio::awaitable<void> {
      const auto longest_refusal = [&](const std::string& location) -> asio::awaitable<Duration> {
        Duration longest{0};
        const bool used_up = co_await until([&] { return (*rig).budget(location).daily_remaining == 0; });
        CHECK(used_up);
        const auto asked = co_await (*rig).acquire({.location = location, .urgency = 0});
        CHECK(refused(asked) == RefusalReason::DailyQuota);
        if (const auto* refusal = std::get_if<Refusal>(&asked)) longest = refusal->retry_after;
        co_return longest;
      };
      const policies::Field none{"X-RateLimit-Daily-Remaining", "0"};
      (*rig).observe("untold", 200, {none});
      const auto untold = co_await longest_refusal("untold");
      CHECK(untold > 59min);
      CHECK(untold <= 1h);
      (*rig).observe("told", 200, {{"X-RateLimit-Daily-Remaining", "7"}, {"X-RateLimit-Daily-Reset", "7200000"}});
      (*rig).observe("told", 200, {none});
      const auto told = co_await longest_refusal("told");
      CHECK(told > 119min);
      (*rig).observe("lower", 200, {{"X-RateLimit-Limit-Daily", "200000"}, none});  // the operator's own limit
      const auto lower = co_await longest_refusal("lower");
      CHECK(lower > 23h);
    });
  }
}

TEST_CASE("a day that was used up goes on when the settings give it more") {
  for (const auto backend : kBackends) {
    CAPTURE(static_cast<int>(backend));
    LimiterOptions options{.limit = {100, 50ms}, .daily = 3, .daily_reserve = 0};
    Rig rig(backend, options);
    run(rig.io, [&]() -> asio::awaitable<void> {
      for (int i = 0; i < 3; ++i) CHECK_FALSE(refused(co_await (*rig).acquire({.location = "L"})).has_value());
      const bool used_up = co_await until([&] { return (*rig).budget("L").daily_remaining == 0; });
      CHECK(used_up);
      CHECK(refused(co_await (*rig).acquire({.location = "L"})) == RefusalReason::DailyQuota);
      options.daily = 10;
      (*rig).reconfigure(options);
      CHECK_FALSE(refused(co_await (*rig).acquire({.location = "L", .max_wait = 5s})).has_value());
    });
  }
}

TEST_CASE("a background request that the day's reserve refuses takes nothing of what is left for an urgent one") {
  for (const auto backend : kBackends) {
    CAPTURE(static_cast<int>(backend));
    Rig rig(backend, {.limit = {100, 10s}, .daily = 20, .daily_reserve = 0.1}, 2);
    run(rig.io, [&]() -> asio::awaitable<void> {
      // The second replica's own knowledge of the day is old: it has to ask.
      auto& second = *rig.limiters[backend == Backend::Redis ? 1 : 0];
      CHECK_FALSE(refused(co_await second.acquire({.location = "L"})));
      for (int i = 0; i < 18; ++i) CHECK_FALSE(refused(co_await (*rig).acquire({.location = "L"})));
      const auto background = co_await second.acquire({.location = "L", .urgency = 7});
      CHECK(refused(background) == RefusalReason::DailyQuota);
      CHECK_FALSE(refused(co_await second.acquire({.location = "L"})));
      CHECK(refused(co_await second.acquire({.location = "L"})) == RefusalReason::DailyQuota);
    });
  }
}

TEST_CASE("an answer that is read after a later one's gives no request of the day back") {
  for (const auto backend : kBackends) {
    CAPTURE(static_cast<int>(backend));
    Rig rig(backend, {.limit = {100, 10s}, .daily = 40});
    run(rig.io, [&]() -> asio::awaitable<void> {
      auto early = co_await (*rig).acquire({.location = "L"});
      {
        auto late = co_await (*rig).acquire({.location = "L"});
        (*rig).observe("L", 200, {{"X-RateLimit-Limit-Daily", "40"}, {"X-RateLimit-Daily-Remaining", "38"}});
      }
      co_await pause_for(20ms);
      (*rig).observe("L", 200, {{"X-RateLimit-Limit-Daily", "40"}, {"X-RateLimit-Daily-Remaining", "39"}});
      std::get<Permit>(early).ended();
      co_await pause_for(20ms);
      auto third = co_await (*rig).acquire({.location = "L"});
      CHECK((*rig).budget("L").daily_remaining == 37);
    });
  }
}

TEST_SUITE_END();
