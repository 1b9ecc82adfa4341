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

// Millions of states are for an unhindered build; the sanitizers look at the same code in the smallest worlds.
using test_support::kSanitized;

bool full() { return std::getenv("GATEWAY_TEST_FULL") != nullptr; }
}  // namespace

TEST_SUITE("model") {
  TEST_CASE("no order of steps lets a read return less than a write that was answered before it began") {
    std::vector<Bounds> worlds{
        {.writes = 1, .reads = 2, .reports = 1},
        {.writes = 1, .reads = 2, .reports = 1, .warm = false},
        {.writes = 1, .reads = 1, .restarts = 1, .reports = 2},
        {.writes = 1, .reads = 1, .evictions = 1, .reports = 1},
        {.writes = 1, .reads = 1, .crashes = 1, .reports = 1},
        {.writes = 1, .reads = 1, .rollbacks = 1, .reports = 1},
        {.writes = 1, .reads = 1, .seconds = 3, .reports = 1},
    };
    if (full()) {
      worlds.push_back({.writes = 2, .reads = 1, .reports = 1, .most_states = 30'000'000});
      worlds.push_back({.writes = 1, .reads = 2, .restarts = 1, .reports = 2, .most_states = 30'000'000});
      worlds.push_back({.writes = 1, .reads = 2, .evictions = 1, .reports = 2, .most_states = 30'000'000});
      worlds.push_back({.writes = 1, .reads = 2, .rollbacks = 1, .reports = 2, .most_states = 30'000'000});
      worlds.push_back({.writes = 1, .reads = 2, .seconds = 4, .reports = 2, .most_states = 30'000'000});
    }
    if (kSanitized)
      worlds = {{.writes = 1, .reads = 1, .reports = 1}, {.writes = 1, .reads = 1, .crashes = 1, .reports = 1}};
    for (const auto& world : worlds) {
      const auto found = model::explore(world);
      MESSAGE("writes ", world.writes, ", reads ", world.reads, ", restarts ", world.restarts, ", rollbacks ",
              world.rollbacks, ", crashes ", world.crashes, ", evictions ", world.evictions, ", seconds ",
              world.seconds, ": ", found.states, " states");
      CHECK_MESSAGE(!found.violated, told(found));
      CHECK(found.complete);
    }
  }

  TEST_CASE("each rule is needed: without it a stale read is found") {
    std::vector<Bounds> worlds{
        {.writes = 1, .reads = 2, .reports = 1, .without = Without::PendingMark},
        {.writes = 1, .reads = 2, .reports = 1, .warm = false, .without = Without::Generation},
        {.writes = 1, .reads = 1, .reports = 1, .without = Without::Acknowledgement},
        {.writes = 1, .reads = 1, .seconds = 4, .reports = 1, .without = Without::LeaseFence},
        {.writes = 1, .reads = 2, .reports = 1, .warm = false, .without = Without::MemoryGuard},
        {.writes = 1, .reads = 2, .evictions = 1, .reports = 1, .without = Without::EndCheck},
        {.writes = 1, .reads = 2, .rollbacks = 1, .reports = 1, .without = Without::RunId},
        {.writes = 1, .reads = 1, .restarts = 1, .reports = 0, .without = Without::Quarantine},
        {.writes = 1, .reads = 2, .reports = 1, .without = Without::FlightState},
    };
    if (kSanitized) worlds = {{.writes = 1, .reads = 1, .seconds = 4, .reports = 1, .without = Without::LeaseFence}};
    for (const auto& world : worlds) {
      const auto found = model::explore(world);
      CHECK_MESSAGE(found.violated, "without ", std::string(model::name_of(world.without)), " nothing was found in ",
                    found.states, " states");
    }
  }
}
