#include "policies/retry.h"

#include <doctest/doctest.h>

#include <random>
#include <string>

#include "policies/http_date.h"
#include "tests/policies/seeds.h"

using namespace std::chrono_literals;
using policies::FailedTry;
using policies::GiveUp;
using policies::RetryAfter;
using policies::RetryBudget;
using policies::TransportFailure;

namespace {

constexpr std::chrono::seconds kNow{784111777 - 60};  // a minute before Sun, 06 Nov 1994 08:49:37 GMT

std::string decide(FailedTry failed) {
  RetryBudget budget({});
  const auto decision = policies::plan_retry({}, budget, failed);
  if (const auto* again = std::get_if<RetryAfter>(&decision)) return std::string(to_string(again->reason));
  return "give up: " + std::string(to_string(std::get<GiveUp>(decision).reason));
}

}  // namespace

TEST_SUITE_BEGIN("retry");

TEST_CASE("what is tried again depends on what the failure proves and on the method") {
  struct Row {
    std::variant<TransportFailure, int> outcome;
    const char* idempotent;
    const char* post;
  };
  const Row rows[] = {
      {TransportFailure::Resolve, "not-sent", "not-sent"},
      {TransportFailure::Connect, "not-sent", "not-sent"},
      {TransportFailure::ConnectTimeout, "not-sent", "not-sent"},
      {TransportFailure::Tls, "give up: final", "give up: final"},
      {TransportFailure::Timeout, "timeout", "give up: maybe-applied"},
      {TransportFailure::Reset, "reset", "give up: maybe-applied"},
      {TransportFailure::Protocol, "reset", "give up: maybe-applied"},
      {TransportFailure::TooLarge, "give up: final", "give up: final"},
      {429, "rate-limited", "rate-limited"},
      {502, "unavailable", "give up: maybe-applied"},
      {503, "unavailable", "give up: maybe-applied"},
      {504, "unavailable", "give up: maybe-applied"},
      {500, "give up: final", "give up: final"},
      {422, "give up: final", "give up: final"},
      {200, "give up: final", "give up: final"},
  };
  for (const auto& row : rows) {
    FailedTry failed{.outcome = row.outcome, .idempotent = true};
    CHECK(decide(failed) == row.idempotent);
    failed.idempotent = false;
    CHECK(decide(failed) == row.post);
    failed.has_key = true;  // an Idempotency-Key makes a POST as good as a PUT
    CHECK(decide(failed) == row.idempotent);
  }
}

TEST_CASE("the backoff doubles, is fully jittered and bounded, and Retry-After is its floor") {
  struct Row {
    FailedTry failed;
    policies::Duration delay;
  };
  const Row rows[] = {
      {{.outcome = 503, .attempt = 1, .jitter = 0}, 0ms},
      {{.outcome = 503, .attempt = 1, .jitter = 0.5}, 50ms},
      {{.outcome = 503, .attempt = 3, .jitter = 0.5}, 200ms},
      {{.outcome = 503, .attempt = 60, .jitter = 0.5}, 5s},
      {{.outcome = 503, .retry_after = 7s, .attempt = 1, .jitter = 0.5}, 7s},
      {{.outcome = 429, .retry_after = 2s, .interval = 10s, .attempt = 1, .jitter = 0.5}, 2s},
      {{.outcome = 429, .interval = 10s, .attempt = 1, .jitter = 0.5}, 10s},
      {{.outcome = 429, .attempt = 2, .jitter = 0.5}, 100ms},
  };
  for (auto row : rows) {
    row.failed.idempotent = true;
    RetryBudget budget({});
    const auto decision = policies::plan_retry({.attempts = 100}, budget, row.failed);
    REQUIRE(std::holds_alternative<RetryAfter>(decision));
    CHECK(std::get<RetryAfter>(decision).delay == row.delay);
  }
}

TEST_CASE("a location pauses for an hour at most, whatever a 429 asks for") {
  const auto pause = [](std::optional<policies::Duration> retry_after, std::optional<policies::Duration> interval) {
    return policies::pause_after_429({}, retry_after, interval, 1, 0.5);
  };
  CHECK(pause(std::chrono::minutes(59), {}) == std::chrono::minutes(59));
  CHECK(pause(std::chrono::hours(365 * 24), {}) == std::chrono::hours(1));
  CHECK(pause(std::chrono::hours(365 * 24), 10s) == std::chrono::hours(1));
  CHECK(pause({}, std::chrono::hours(24)) == std::chrono::hours(1));
}

TEST_CASE("no retry outlives the attempts, the client's deadline or the budget") {
  FailedTry failed{.outcome = 503, .retry_after = 5s, .idempotent = true, .attempt = 1, .now = 100s, .deadline = 105s};
  CHECK(decide(failed) == "give up: deadline");
  failed.deadline = 105s + 1us;
  CHECK(decide(failed) == "unavailable");
  failed.attempt = 4;
  CHECK(decide(failed) == "give up: attempts");

  failed.attempt = 1;
  RetryBudget budget({.ratio = 0.2, .reserve = 2});
  const auto granted = [&] { return std::holds_alternative<RetryAfter>(policies::plan_retry({}, budget, failed)); };
  CHECK(granted());
  CHECK(granted());
  CHECK_FALSE(granted());
  for (int i = 0; i < 4; ++i) budget.on_request();
  CHECK_FALSE(granted());
  budget.on_request();
  CHECK(granted());
  CHECK_FALSE(granted());
  CHECK_FALSE(RetryBudget({.ratio = 0}).take());
}

TEST_CASE("a refused retry takes nothing from the budget") {
  RetryBudget budget({});
  policies::plan_retry({}, budget, {.outcome = 503, .idempotent = false});
  policies::plan_retry({}, budget, {.outcome = 503, .idempotent = true, .attempt = 9});
  policies::plan_retry({}, budget, {.outcome = 503, .retry_after = 9s, .idempotent = true, .deadline = 1s});
  CHECK(budget.tokens() == 10);
}

TEST_CASE("Retry-After is read as seconds or as any of the three date forms") {
  struct Row {
    const char* value;
    std::optional<policies::Duration> delay;
  };
  const Row rows[] = {
      {"120", 120s},
      {" 0 ", 0s},
      {"99999999999999999999999", std::chrono::hours(365 * 24)},
      {"Sun, 06 Nov 1994 08:49:37 GMT", 60s},
      {"Sunday, 06-Nov-94 08:49:37 GMT", 60s},
      {"Sun Nov  6 08:49:37 1994", 60s},
      {"Sat, 05 Nov 1994 08:49:37 GMT", 0s},
      {"-5", {}},
      {"1.5", {}},
      {"", {}},
      {"soon", {}},
      {"Sun, 31 Feb 1994 08:49:37 GMT", {}},
      {"Sun, 06 Nov 1994 24:49:37 GMT", {}},
      {"Sun, 06 Nov 1994 08:49:37", {}},
      {"Sun, 06 Nov 1994 08:49:37 GMT+1", {}},
      {"Sun, -6 Nov 1994 08:49:37 GMT", {}},
  };
  for (const auto& row : rows) {
    CAPTURE(row.value);
    CHECK(policies::parse_retry_after(row.value, kNow) == row.delay);
  }
}

TEST_CASE("a two-digit year more than fifty years ahead lies in the past") {
  CHECK(policies::parse_http_date("Sunday, 06-Nov-94 08:49:37 GMT", 1'700'000'000s) == 784111777s);
  CHECK(policies::parse_http_date("Wednesday, 06-Nov-30 08:49:37 GMT", 1'700'000'000s) == 1920185377s);
}

TEST_CASE(
    "over random schedules retries never exceed the reserve and the ratio, delays their bound, ends the deadline") {
  for (unsigned seed = 0; seed < tests::seeds(); ++seed) {
    std::mt19937 random(seed);
    std::uniform_real_distribution<double> unit(0, 1);
    const RetryBudget::Options rules{unit(random), std::floor(20 * unit(random))};
    RetryBudget budget(rules);
    policies::Instant now{0};
    double requests = 0, retries = 0;
    for (int request = 0; request < 60; ++request) {
      budget.on_request();
      ++requests;
      const policies::Instant deadline = now + std::chrono::milliseconds(random() % 20'000);
      for (int attempt = 1;; ++attempt) {
        const int statuses[] = {429, 502, 503, 504};
        const auto decision = policies::plan_retry({}, budget,
                                                   {.outcome = statuses[random() % 4],
                                                    .idempotent = random() % 4 != 0,
                                                    .attempt = attempt,
                                                    .now = now,
                                                    .deadline = deadline,
                                                    .jitter = unit(random)});
        const auto* again = std::get_if<RetryAfter>(&decision);
        if (!again) break;
        ++retries;
        now += again->delay;
        if (now >= deadline) FAIL("seed " << seed << ": a retry after the deadline");
        if (again->delay > 100ms * (1 << (attempt - 1))) FAIL("seed " << seed << ": a delay over its bound");
      }
      if (retries > std::max(rules.reserve, 1.0) + rules.ratio * requests + 1e-6)
        FAIL("seed " << seed << ": over the budget");
    }
  }
}

TEST_SUITE_END();
