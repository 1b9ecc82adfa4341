// Background requests beside urgent ones, in a time that the test makes: what a step grants, over random schedules.
#include <doctest/doctest.h>

#include <algorithm>
#include <map>
#include <random>
#include <vector>

#include "gateway/limiter/local_store.h"

using namespace std::chrono_literals;
using gateway::limiter::apply;
using gateway::limiter::Step;
using policies::Duration;
using policies::Instant;

namespace {

struct Schedule {
  policies::RateLimit limit;
  Duration fastest, slowest;  // a request
  Duration thinks{0};         // the urgent client's own time between two requests; 0: there is none
};

struct Outcome {
  Duration p99{0};  // of the urgent client's waits
  std::size_t urgent = 0, background = 0;
  double slot_time = 0;  // the part that was used, from the fifth interval on
};

// A background queue that is never empty, and one urgent client that asks, has its answer and thinks, for `intervals`.
Outcome play(const Schedule& schedule, int intervals, unsigned seed) {
  std::mt19937 random(seed);
  const auto uniform = [&](Duration from, Duration to) {
    return Duration(std::uniform_int_distribution<Duration::rep>(from.count(), to.count())(random));
  };
  policies::RateWindow window(schedule.limit, 60s);
  policies::DailyQuota daily({.limit = 0});
  policies::BackgroundPace pace;
  std::multimap<Instant, std::pair<std::uint64_t, bool>> ends;  // of requests under way: id, whether urgent
  std::vector<Duration> waits;
  Outcome out;
  Duration used{0};
  const Instant start{1s}, end = start + intervals * schedule.limit.interval,
                           measured = start + 5 * schedule.limit.interval;
  Instant arrives = schedule.thinks > Duration{0} ? start + uniform(0ms, schedule.thinks) : Instant::max();
  std::uint64_t ids = 0;
  for (Instant at = start; at < end;) {
    Step step{.limit = schedule.limit};
    bool thinks = false;
    for (; !ends.empty() && ends.begin()->first <= at; ends.erase(ends.begin())) {
      step.ended.push_back(ends.begin()->second.first);
      thinks = thinks || ends.begin()->second.second;
    }
    if (thinks) arrives = at + schedule.thinks;
    step.urgent = arrives <= at ? 1 : 0;
    for (int i = 0; i < 20; ++i) step.asks.push_back(++ids);
    const auto result = apply(window, daily, pace, step, at);
    for (std::size_t i = 0; i < result.granted; ++i) {
      const auto took = uniform(schedule.fastest, schedule.slowest);
      ends.emplace(at + took, std::pair(step.asks[i], i < step.urgent));
      const auto free_at = std::min(end, at + took + schedule.limit.interval);
      if (free_at > measured) used += free_at - std::max(at, measured);
    }
    if (step.urgent == 1 && result.granted > 0) {
      waits.push_back(at - arrives);
      arrives = Instant::max();
    }
    out.background += result.granted - std::min(result.granted, step.urgent);
    auto next = at + std::max(Duration{1}, arrives <= at ? std::min(result.next_free, result.next_background)
                                                         : result.next_background);
    if (!ends.empty()) next = std::min(next, ends.begin()->first);
    if (arrives > at) next = std::min(next, arrives);
    at = std::max(next, at + Duration{1});
  }
  std::sort(waits.begin(), waits.end());
  if (!waits.empty()) out.p99 = waits[waits.size() * 99 / 100];
  out.urgent = waits.size();
  out.slot_time = static_cast<double>(used.count()) /
                  (static_cast<double>((end - measured).count()) * static_cast<double>(schedule.limit.requests));
  return out;
}

}  // namespace

TEST_SUITE_BEGIN("limiter");

TEST_CASE("an urgent client beside a background backlog waits less than two slot times, from the first interval on") {
  const std::vector<Schedule> schedules{{{50, 1s}, 20ms, 60ms, 30ms},
                                        {{100, 1s}, 20ms, 60ms, 30ms},
                                        {{100, 10s}, 20ms, 60ms, 300ms},
                                        {{95, 1s}, 20ms, 400ms, 30ms}};
  for (const auto& schedule : schedules)
    for (unsigned seed = 0; seed < 10; ++seed) {
      CAPTURE(schedule.limit.requests);
      CAPTURE(seed);
      const auto outcome = play(schedule, 15, seed);
      CHECK(outcome.p99 < 2 * schedule.limit.interval / static_cast<long>(schedule.limit.requests));
      CHECK(outcome.urgent > 50);
      CHECK(outcome.background > 5 * schedule.limit.requests);
    }
}

TEST_CASE("a background backlog on its own, or beside an urgent client, uses 97 % of the slot time") {
  const std::vector<Schedule> schedules{{{100, 10s}, 20ms, 400ms, 0ms}, {{100, 10s}, 20ms, 400ms, 300ms},
                                        {{95, 1s}, 20ms, 400ms, 0ms},   {{95, 1s}, 20ms, 400ms, 30ms},
                                        {{100, 1s}, 1s, 3s, 0ms},       {{1'000, 1s}, 20ms, 60ms, 10ms}};
  for (const auto& schedule : schedules)
    for (unsigned seed = 0; seed < 2; ++seed) {
      CAPTURE(schedule.limit.requests);
      CAPTURE(seed);
      CHECK(play(schedule, 25, seed).slot_time >= 0.97);
    }
}

TEST_SUITE_END();
