// The contract's sentence in every order of steps, with the faults, at the sizes of the oracle (rules_test.cc)
// and with lookups by plain commands. Everyday the smaller half; all with GATEWAY_TEST_FULL=1.
#include <doctest/doctest.h>

#include <cstdlib>

#include "tests/model/world.h"
#include "tests/support/sanitized.h"

namespace {
using model::Bounds;
using model::Without;

std::string told(const model::Found& found) {
  std::string text;
  for (const auto& step : found.trace) text += "\n  " + step;
  return text;
}

// The sanitizers look at the same code in the smaller worlds.
using test_support::kSanitized;

bool full() { return std::getenv("GATEWAY_TEST_FULL") != nullptr; }

// Two seconds end every lease, and a write's wait for a young epoch.
std::vector<Bounds> small_worlds() {
  return {
      {.writes = 1, .reads = 2, .plain = true},
      {.writes = 1, .reads = 2, .memory_full = false, .redis_full = false, .plain = true},
      {.writes = 2, .reads = 1, .plain = true},
      {.writes = 1, .reads = 2, .crashes = 1, .plain = true},
  };
}

std::vector<Bounds> everyday_worlds() {
  return {
      {.writes = 1, .reads = 1, .seconds = 2, .plain = true},
      {.writes = 2, .reads = 1, .keys = 2, .plain = true},
      {.writes = 1, .reads = 1, .restarts = 1, .seconds = 2, .reports = 1, .plain = true},
      {.writes = 1, .reads = 1, .rollbacks = 1, .plain = true},
      {.writes = 1, .reads = 1, .evictions = 1, .seconds = 2, .reports = 1},
      {.writes = 1, .reads = 1, .standstills = 1, .seconds = 2, .reports = 1, .plain = true},
  };
}

std::vector<Bounds> large_worlds() {
  return {
      {.writes = 2, .reads = 2},
      {.writes = 2, .reads = 2, .memory_full = false, .redis_full = false, .plain = true},
      {.writes = 2, .reads = 1, .crashes = 1, .plain = true},
      {.writes = 2, .reads = 1, .evictions = 1},
      {.writes = 1, .reads = 2, .restarts = 1, .plain = true},
      {.writes = 1, .reads = 1, .restarts = 1, .seconds = 2},
      {.writes = 1, .reads = 1, .restarts = 1, .seconds = 3, .reports = 2, .plain = true},
      {.writes = 1, .reads = 2, .rollbacks = 1, .plain = true},
      {.writes = 1, .reads = 1, .rollbacks = 1, .seconds = 2},
      {.writes = 1, .reads = 2, .evictions = 1, .plain = true},
      {.writes = 1, .reads = 1, .evictions = 1, .seconds = 2},
      {.writes = 1, .reads = 1, .crashes = 1, .seconds = 4, .reports = 2},
      {.writes = 1, .reads = 2, .restarts = 1, .seconds = 2, .reports = 1, .plain = true},
      {.writes = 1, .reads = 2, .rollbacks = 1, .seconds = 2, .reports = 1},
      {.writes = 1, .reads = 2, .evictions = 1, .seconds = 2, .reports = 1},
      {.writes = 1, .reads = 2, .crashes = 1, .seconds = 2, .reports = 2},
      {.writes = 1, .reads = 2, .seconds = 2},
      {.writes = 1, .reads = 1, .seconds = 3, .plain = true},
      {.writes = 1, .reads = 1, .standstills = 1, .seconds = 2, .plain = true},
      {.writes = 1, .reads = 2, .standstills = 1, .seconds = 2, .reports = 1, .plain = true},
      {.writes = 1, .reads = 1, .seconds = 2, .reports = 2, .deposed = true, .memory = false, .plain = true},
  };
}
}  // namespace

TEST_SUITE("model") {
  TEST_CASE("no order of steps lets a read return less than a write that was answered before it began") {
    auto worlds = small_worlds();
    const auto add = [&](const std::vector<Bounds>& more) { worlds.insert(worlds.end(), more.begin(), more.end()); };
    if (!kSanitized) add(everyday_worlds());
    if (full()) add(large_worlds());
    for (const auto& world : worlds) {
      const auto found = model::explore(world);
      MESSAGE(model::to_string(world), ": ", found.states, " states");
      CHECK_MESSAGE(!found.violated, told(found));
      CHECK(found.complete);
    }
  }

  // A lookup by plain commands needs each of its checks but one.
  TEST_CASE("each check of a plain lookup is needed: without it a stale read is found") {
    std::vector<Bounds> worlds{
        {.writes = 1, .reads = 1, .plain = true, .without = Without::PlainGenerations},
        {.writes = 1, .reads = 1, .rollbacks = 1, .plain = true, .without = Without::PlainEpoch},
        {.writes = 1, .reads = 1, .rollbacks = 1, .plain = true, .without = Without::PlainRunId},
    };
    if (!kSanitized) {
      worlds.push_back({.writes = 1,
                        .reads = 1,
                        .standstills = 1,
                        .seconds = 2,
                        .reports = 0,
                        .memory = false,
                        .plain = true,
                        .without = Without::PlainLease});
      worlds.push_back({.writes = 1,
                        .reads = 1,
                        .seconds = 2,
                        .reports = 2,
                        .deposed = true,
                        .memory = false,
                        .plain = true,
                        .without = Without::PlainWrite});
    }
    for (auto world : worlds) {
      world.shortest = true;
      const auto found = model::explore(world);
      CHECK_MESSAGE(found.violated, model::to_string(world), ": nothing was found in ", found.states, " states");
      MESSAGE(model::to_string(world), ": ", found.states, " states", told(found));
    }
  }

  // An entry under the generations of now was fetched by one who saw no mark after the last write had begun, since a
  // write sets its mark and the generation in one step and a mark that went never comes back: while there is a mark, no
  // entry can be found. The check costs nothing (the reply must be looked through for the generation anyhow) and stays.
  TEST_CASE("a plain lookup need not look for marks, since no entry is found while there are any") {
    std::vector<Bounds> worlds{
        {.writes = 1, .reads = 2, .memory_full = false, .plain = true, .without = Without::PlainMarks},
    };
    if (!kSanitized) worlds.push_back({.writes = 2, .reads = 1, .plain = true, .without = Without::PlainMarks});
    if (full()) {
      worlds.push_back({.writes = 1, .reads = 2, .evictions = 1, .plain = true, .without = Without::PlainMarks});
      worlds.push_back({.writes = 1, .reads = 2, .rollbacks = 1, .plain = true, .without = Without::PlainMarks});
      worlds.push_back({.writes = 1, .reads = 2, .crashes = 1, .plain = true, .without = Without::PlainMarks});
      worlds.push_back({.writes = 2, .reads = 2, .memory = false, .plain = true, .without = Without::PlainMarks});
    }
    for (const auto& world : worlds) {
      const auto found = model::explore(world);
      MESSAGE(model::to_string(world), ": ", found.states, " states");
      CHECK_MESSAGE(!found.violated, told(found));
      CHECK(found.complete);
    }
  }

  // Where a fault is needed to see it; rules_test.cc has the others.
  TEST_CASE("rules against faults are needed: without one a stale read is found") {
    const std::vector<Bounds> worlds{
        {.writes = 1, .reads = 2, .evictions = 1, .without = Without::EndCheck, .shortest = true},
        {.writes = 1, .reads = 1, .restarts = 1, .without = Without::Quarantine, .shortest = true},
        {.writes = 1, .reads = 1, .standstills = 1, .seconds = 1, .without = Without::LateFence, .shortest = true},
    };
    for (const auto& world : worlds) {
      const auto found = model::explore(world);
      CHECK_MESSAGE(found.violated, model::to_string(world), ": nothing was found in ", found.states, " states");
    }
  }
}
