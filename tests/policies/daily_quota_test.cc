#include "policies/daily_quota.h"

#include <doctest/doctest.h>

using namespace std::chrono_literals;
using policies::DailyQuota;

TEST_SUITE_BEGIN("daily quota");

TEST_CASE("the last part of the day is kept for urgent requests, then nothing goes until the reset") {
  DailyQuota quota({.limit = 100, .reserve = 0.05});
  for (int i = 0; i < 95; ++i) {
    REQUIRE_FALSE(quota.refusal(7, 1h).has_value());
    quota.count(1h);
  }
  CHECK(quota.refusal(4, 2h) == 23h);
  CHECK_FALSE(quota.refusal(3, 2h).has_value());
  for (int i = 0; i < 5; ++i) quota.count(2h);
  CHECK(quota.refusal(0, 2h) == 23h);
  CHECK(quota.remaining(2h) == 0);
  quota.uncount();
  CHECK_FALSE(quota.refusal(0, 2h).has_value());
  CHECK_FALSE(quota.refusal(7, 25h).has_value());
  CHECK(quota.remaining(25h) == 100);
}

TEST_CASE("the upstream's own count corrects ours") {
  DailyQuota quota({.limit = 1000});
  for (int i = 0; i < 10; ++i) quota.count(0s);
  quota.correct(1000, 990, {}, 0, 1s);
  CHECK(quota.used(1s) == 10);
  quota.correct(1000, 400, 3600s, 0, 1s);  // another process of the same app spends too
  CHECK(quota.used(1s) == 600);
  CHECK(quota.until_reset(1s) == 1h);
  quota.correct(1000, 405, {}, 5, 2s);  // five under way explain the difference
  CHECK(quota.used(2s) == 600);
  quota.correct(1000, 999, {}, 5, 3s);  // the upstream's day has ended before ours
  CHECK(quota.used(3s) == 6);
  quota.correct(1000, 0, {}, 0, 4s);
  CHECK(quota.refusal(0, 4s) == 3597s);
}

TEST_CASE("a stated limit below the setting counts, an operator's own lower limit stays and keeps its own count") {
  DailyQuota quota({.limit = 1000});
  quota.correct(200, 150, {}, 0, 0s);
  CHECK(quota.limit() == 200);
  CHECK(quota.used(0s) == 50);
  DailyQuota lower({.limit = 100});
  for (int i = 0; i < 60; ++i) lower.count(0s);
  lower.correct(200'000, 150'000, {}, 0, 0s);
  CHECK(lower.limit() == 100);
  CHECK(lower.used(0s) == 60);
  lower.correct(200'000, 10, {}, 0, 0s);
  CHECK(lower.used(0s) == 90);
}

TEST_CASE("a limit of zero is no quota") {
  DailyQuota quota({.limit = 0});
  quota.count(0s);
  quota.correct(100, 0, 5s, 0, 0s);
  CHECK_FALSE(quota.refusal(7, 0s).has_value());
}

TEST_SUITE_END();
