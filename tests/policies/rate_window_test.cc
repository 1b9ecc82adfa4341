#include "policies/rate_window.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <queue>
#include <random>
#include <vector>

#include "policies/rate_share.h"
#include "tests/policies/seeds.h"

using namespace std::chrono_literals;
using policies::Duration;
using policies::Instant;
using policies::RateLimit;
using policies::RateWindow;

TEST_SUITE_BEGIN("rate window");

TEST_CASE("a slot is free again one interval after its request ended, not after it was granted") {
  RateWindow window({1, 10s}, 30s);
  REQUIRE(window.try_grant(1, 0s));
  CHECK_FALSE(window.try_grant(2, 9s));
  CHECK_FALSE(window.try_grant(2, 12s));
  window.ended(1, 12s);
  CHECK_FALSE(window.try_grant(2, 22s - 1us));
  CHECK(window.try_grant(2, 22s));
}

TEST_CASE("an abandoned permit's slot returns a request's longest time plus one interval after its grant") {
  RateWindow window({1, 10s}, 30s);
  REQUIRE(window.try_grant(1, 5s));
  CHECK_FALSE(window.try_grant(2, 45s - 1us));
  CHECK(window.try_grant(2, 45s));
}

TEST_CASE("the late end of a permit given up as abandoned takes a slot again") {
  RateWindow window({2, 10s}, 30s);
  REQUIRE(window.try_grant(1, 0s));
  CHECK(window.available(40s) == 2);
  window.ended(1, 41s);
  CHECK(window.available(41s) == 1);
  CHECK(window.available(51s) == 2);
}

TEST_CASE("a permit that was not used gives its slot back at once") {
  RateWindow window({1, 10s}, 30s);
  REQUIRE(window.try_grant(1, 0s));
  window.unsent(1);
  CHECK(window.try_grant(2, 1s));
  window.unsent(77);
  CHECK(window.available(1s) == 0);
}

TEST_CASE("a remaining lower than believed is believed for one interval, a higher one is not") {
  RateWindow window({10, 1s}, 30s);
  REQUIRE(window.try_grant(1, 0s));
  CHECK(window.believe_remaining(9, 0s) == 0);
  CHECK(window.believe_remaining(50, 0s) == 0);
  CHECK(window.available(0s) == 9);
  CHECK(window.believe_remaining(4, 0s) == 5);
  CHECK(window.available(0s) == 4);
  CHECK(window.available(1s - 1us) == 4);
  CHECK(window.available(1s) == 9);
}

TEST_CASE("a pause stops grants, and a shorter one never ends a longer one") {
  RateWindow window({10, 1s}, 30s);
  window.pause_until(5s);
  window.pause_until(3s);
  CHECK_FALSE(window.try_grant(1, 5s - 1us));
  CHECK(window.next_free(0s, 0) == 5s);
  CHECK(window.try_grant(1, 5s));
}

TEST_CASE("a limit learnt later applies to the slots already taken") {
  RateWindow window({2, 1s}, 30s);
  REQUIRE(window.try_grant(1, 0s));
  window.ended(1, 0s);
  window.set_limit({2, 10s});
  CHECK(window.available(9s) == 1);
  CHECK(window.available(10s) == 2);
  REQUIRE(window.try_grant(2, 10s));
  REQUIRE(window.try_grant(3, 10s));
  window.set_limit({1, 10s});
  window.ended(2, 11s);
  window.ended(3, 12s);
  CHECK_FALSE(window.try_grant(4, 21s));
  CHECK(window.try_grant(4, 22s));
}

TEST_CASE("the configured and the stated limit both hold, at the slower of their rates") {
  struct Row {
    RateLimit configured, stated, kept;
  };
  const Row rows[] = {
      {{100, 10s}, {100, 10s}, {100, 10s}},  // the same
      {{10, 1s}, {100, 10s}, {10, 1s}},      // smoother at the same rate: stays
      {{50, 10s}, {100, 10s}, {50, 10s}},    // an operator's own lower limit stays
      {{100, 10s}, {40, 10s}, {40, 10s}},    // the upstream allows less
      {{100, 10s}, {20, 1s}, {10, 1s}},      // the upstream's interval, the configured rate
      {{100, 10s}, {5, 1s}, {5, 1s}},        // the upstream's rate is the slower
      {{5, 10s}, {3, 1s}, {3, 10s}},         // no whole request in its interval
  };
  for (const auto& row : rows) {
    const auto kept = policies::stricter(row.configured, row.stated);
    CHECK(kept.requests == row.kept.requests);
    CHECK(kept.interval == row.kept.interval);
  }
}

TEST_CASE("the k-th waiter's earliest time follows the slots in the order they return") {
  RateWindow window({3, 10s}, 30s);
  CHECK(window.next_free(0s, 0) == 0s);
  CHECK(window.next_free(0s, 3) == 10s);
  REQUIRE(window.try_grant(1, 0s));
  REQUIRE(window.try_grant(2, 1s));
  REQUIRE(window.try_grant(3, 2s));
  window.ended(2, 3s);
  window.ended(1, 4s);
  CHECK(window.next_free(5s, 0) == 13s);
  CHECK(window.next_free(5s, 1) == 14s);
  CHECK(window.next_free(5s, 2) == 15s);      // under way: it can end now at the earliest
  CHECK(window.next_free(5s, 2, 6s) == 18s);  // or when it has taken its typical time
  CHECK(window.next_free(5s, 3) == 23s);
  CHECK(window.next_free(5s, 3, 6s) == 29s);
  window.set_cap(0);
  CHECK(window.next_free(5s, 0) == policies::kNever);
}

TEST_CASE(
    "a replica without Redis reuses what it held, shrinks to its share, and has it whole once all old slots returned") {
  struct Row {
    std::uint64_t replicas, own, others;
    Duration since;
    std::uint64_t cap;
  };
  const Row rows[] = {
      {3, 60, 40, 0s, 33},    // over its share: down to it
      {3, 20, 80, 0s, 20},    // under its share in a full window: only its own
      {3, 20, 80, 39s, 20},   //
      {3, 20, 80, 40s, 33},   // every slot from before has returned
      {3, 0, 0, 0s, 33},      // nobody held any: the share at once
      {3, 10, 60, 0s, 20},    // its part of what nobody held
      {1, 0, 0, 0s, 100},     // alone: all
      {0, 0, 0, 0s, 100},     // never met another
      {200, 0, 0, 99s, 0},    // more replicas than slots
      {2, 150, 150, 0s, 50},  // learnt limit below what is held
  };
  for (const auto& row : rows) {
    CAPTURE(row.replicas);
    CAPTURE(row.own);
    const policies::LostWindow lost{5s, row.replicas, row.own, row.others};
    CHECK(policies::share_cap({100, 10s}, 30s, lost, 5s + row.since) == row.cap);
  }
}

TEST_CASE("a replica without Redis may take at once a quarter of its part of what nobody held") {
  CHECK(policies::share_at_once({100, 10s}, {5s, 3, 0, 0}) == 8);
  CHECK(policies::share_at_once({100, 10s}, {5s, 3, 30, 34}) == 3);
  CHECK(policies::share_at_once({100, 10s}, {5s, 1, 60, 0}) == 10);
  CHECK(policies::share_at_once({10, 10s}, {5s, 3, 0, 0}) == 1);
  CHECK(policies::share_at_once({100, 10s}, {5s, 3, 60, 37}) == 1);
  CHECK(policies::share_at_once({100, 10s}, {5s, 3, 60, 38}) == 0);
  CHECK(policies::share_at_once({100, 10s}, {5s, 2, 150, 150}) == 0);  // learnt limit below what is held
  CHECK(policies::share_at_once({100, 10s}, {5s, 0, 0, 0}) == 25);     // never met another
}

namespace {

struct Schedule {
  std::vector<Instant> arrivals;
  std::uint64_t grants = 0;
  Instant slot_time{0};  // the sum over requests of how long each had its slot
};

// Saturated: whenever a slot is free it is asked for. Ends, abandoned permits and arrivals are random.
Schedule saturate(RateLimit limit, Duration hold, Instant until, bool abandons, std::mt19937& random) {
  RateWindow window(limit, hold);
  const auto pick = [&](Duration low, Duration high) {
    return Duration(std::uniform_int_distribution<Duration::rep>(low.count(), high.count())(random));
  };
  std::priority_queue<std::pair<Instant, std::uint64_t>, std::vector<std::pair<Instant, std::uint64_t>>, std::greater<>>
      ends;
  Schedule schedule;
  Instant now{0};
  while (now < until) {
    while (window.try_grant(schedule.grants + 1, now)) {
      ++schedule.grants;
      const bool abandoned = abandons && random() % 8 == 0;
      const auto took = pick(0us, hold);
      schedule.arrivals.push_back(now + pick(0us, abandoned ? hold : took));
      if (!abandoned) ends.emplace(now + took, schedule.grants);
      schedule.slot_time += (abandoned ? hold : took) + limit.interval;
    }
    const auto next_slot = window.next_free(now, 0);
    const auto next_end = ends.empty() ? policies::kNever : ends.top().first;
    now = std::min(std::max(next_slot, now + 1us), std::max(next_end, now));
    while (!ends.empty() && ends.top().first <= now) {
      window.ended(ends.top().second, now);
      ends.pop();
    }
  }
  return schedule;
}

std::size_t most_in_one_window(std::vector<Instant> arrivals, Duration interval) {
  std::sort(arrivals.begin(), arrivals.end());
  std::size_t most = 0, first = 0;
  for (std::size_t last = 0; last < arrivals.size(); ++last) {
    while (arrivals[last] - arrivals[first] >= interval) ++first;
    most = std::max(most, last - first + 1);
  }
  return most;
}

}  // namespace

TEST_CASE("no interval ever holds more arrivals than the limit, whenever requests arrive and end") {
  for (unsigned seed = 0; seed < tests::seeds(); ++seed) {
    std::mt19937 random(seed);
    const RateLimit limit{1 + random() % 12, Duration(10 + random() % 1000)};
    const Duration hold(1 + random() % 1500);
    const auto schedule = saturate(limit, hold, 8 * (limit.interval + hold), true, random);
    const auto most = most_in_one_window(schedule.arrivals, limit.interval);
    if (most > limit.requests) FAIL("seed " << seed << ": " << most << " arrivals under a limit of " << limit.requests);
  }
}

TEST_CASE("no slot is idle under saturation: at least 97 % of the slot time is used") {
  for (unsigned seed = 0; seed < tests::seeds(); ++seed) {
    std::mt19937 random(seed);
    const RateLimit limit{1 + random() % 12, Duration(1000 + random() % 10'000)};
    const Duration hold(1 + random() % 1000);
    const Instant until = 40 * limit.interval;
    const auto schedule = saturate(limit, hold, until, true, random);
    const auto offered = static_cast<double>(limit.requests) * static_cast<double>(until.count());
    if (static_cast<double>(schedule.slot_time.count()) < 0.97 * offered) FAIL("seed " << seed << ": idle slots");
  }
}

TEST_SUITE_END();
