#include "policies/rate_headers.h"

#include <doctest/doctest.h>

using namespace std::chrono_literals;
using policies::Fields;
using policies::parse_stated_limits;

TEST_SUITE_BEGIN("rate headers");

TEST_CASE("what the upstream states is read whatever the case of its names") {
  const auto stated = parse_stated_limits({{"x-ratelimit-max", "100"},
                                           {"X-RateLimit-Remaining", "0"},
                                           {"X-RATELIMIT-INTERVAL-MILLISECONDS", "10000"},
                                           {"X-RateLimit-Limit-Daily", "200000"},
                                           {"X-RateLimit-Daily-Remaining", "199999"},
                                           {"X-RateLimit-Daily-Reset", "3600000"}},
                                          1'700'000'000'000ms);
  CHECK(stated.max == 100);
  CHECK(stated.remaining == 0);
  CHECK(stated.interval == 10s);
  CHECK(stated.daily_limit == 200'000);
  CHECK(stated.daily_remaining == 199'999);
  CHECK(stated.daily_reset == 1h);
}

TEST_CASE("values that are no numbers or out of all reason are ignored") {
  for (const char* value : {"", "-1", "1.5", "ten", "5 ", "0x10", "99999999999999999999", "9999999999999999"}) {
    CAPTURE(value);
    const auto stated = parse_stated_limits({{"X-RateLimit-Max", value},
                                             {"X-RateLimit-Remaining", value},
                                             {"X-RateLimit-Interval-Milliseconds", value},
                                             {"X-RateLimit-Limit-Daily", value},
                                             {"X-RateLimit-Daily-Remaining", value},
                                             {"X-RateLimit-Daily-Reset", value}},
                                            0ms);
    CHECK_FALSE((stated.max || stated.remaining || stated.interval || stated.daily_limit || stated.daily_remaining ||
                 stated.daily_reset));
  }
  const auto zero = parse_stated_limits({{"X-RateLimit-Max", "0"}, {"X-RateLimit-Interval-Milliseconds", "0"}}, 0ms);
  CHECK_FALSE((zero.max || zero.interval));
  CHECK_FALSE(parse_stated_limits({{"X-RateLimit-Interval-Milliseconds", "86400001"}}, 0ms).interval.has_value());
}

TEST_CASE("the daily reset may be a duration or a moment") {
  CHECK(parse_stated_limits({{"X-RateLimit-Daily-Reset", "1700000060000"}}, 1'700'000'000'000ms).daily_reset == 60s);
  CHECK(parse_stated_limits({{"X-RateLimit-Daily-Reset", "1600000000000"}}, 1'700'000'000'000ms).daily_reset == 0s);
  CHECK_FALSE(parse_stated_limits({{"X-RateLimit-Daily-Reset", "86400001"}}, 0ms).daily_reset.has_value());
}

TEST_CASE("an answer under a limit of 0 says nothing about what is left") {
  const auto stated = parse_stated_limits({{"X-RateLimit-Max", "0"},
                                           {"X-RateLimit-Remaining", "0"},
                                           {"X-RateLimit-Limit-Daily", "0"},
                                           {"X-RateLimit-Daily-Remaining", "0"}},
                                          0ms);
  CHECK_FALSE(stated.max.has_value());
  CHECK_FALSE(stated.remaining.has_value());
  CHECK_FALSE(stated.daily_limit.has_value());
  CHECK_FALSE(stated.daily_remaining.has_value());
}

TEST_CASE("what the client sees is in whole seconds, rounded up") {
  const auto told = policies::format_rate_limits({100, 10s}, {50, 30s}, 0, {});
  CHECK(told.policy == "\"default\";q=100;w=10");
  CHECK(told.limit == "\"default\";r=50;t=30");
  const auto rounded = policies::format_rate_limits({100, 250ms}, {0, 1ms}, 200'000, {1, 1h});
  CHECK(rounded.policy == "\"default\";q=100;w=1");
  CHECK(rounded.limit == "\"default\";r=0;t=1");
  CHECK(policies::format_queue_timing(12'540us) == "queue;dur=12.5");
  CHECK(policies::format_queue_timing(0us) == "queue;dur=0.0");
  CHECK(policies::format_retry_after(0us) == "1");
  CHECK(policies::format_retry_after(4s + 1us) == "5");
}

TEST_CASE("where less is left of the day than of the window, the day is told") {
  for (const std::uint64_t left : {0, 7, 80}) {
    const auto told = policies::format_rate_limits({100, 10s}, {80, 3s}, 200'000, {left, 1h});
    CHECK(told.policy == "\"default\";q=100;w=10, \"day\";q=200000;w=86400");
    CHECK(told.limit == "\"day\";r=" + std::to_string(left) + ";t=3600");
  }
  CHECK(policies::format_rate_limits({100, 10s}, {80, 3s}, 200'000, {81, 1h}).limit == "\"default\";r=80;t=3");
}

TEST_SUITE_END();
