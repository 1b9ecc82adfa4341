#include "policies/standstills.h"

#include <doctest/doctest.h>

using namespace std::chrono_literals;
using policies::Instant;
using policies::Standstills;

namespace {
// Beats from `from` until before `until`, as they should come.
void run(Standstills& stops, Instant from, Instant until) {
  for (auto at = from; at < until; at += 250ms) stops.beat(at);
}
}  // namespace

TEST_SUITE_BEGIN("standstills");

TEST_CASE("beats in time, and some that are late, are no standstill") {
  Standstills stops(250ms);
  CHECK(stops.within(0s, 10s) == 0s);  // nothing is known before the first
  run(stops, 10s, 20s);
  stops.beat(20'700ms);
  CHECK(stops.within(10s, 21s) == 0s);
}

TEST_CASE("what was in the way of a request is as much of a standstill as it lived through") {
  Standstills stops(250ms);
  run(stops, 0s, 10s);  // the last at 9.75 s
  run(stops, 40s, 50s);
  CHECK(stops.within(0s, 41s) == 30s);
  CHECK(stops.within(20s, 41s) == 20s);
  CHECK(stops.within(0s, 15s) == 5s);
  CHECK(stops.within(40s, 45s) == 0s);
}

TEST_CASE("a standstill counts before the beat that ends it") {
  Standstills stops(250ms);
  run(stops, 0s, 10s);
  CHECK(stops.within(9s, 40s) == 30s);
  CHECK(stops.within(35s, 40s) == 5s);
  stops.beat(40s);
  CHECK(stops.within(9s, 40s) == 30s);
}

TEST_CASE("the latest are remembered") {
  Standstills stops(250ms);
  for (int i = 0; i < 20; ++i) stops.beat(i * 10s);
  CHECK(stops.within(180s, 190s) == 9'750ms);
  CHECK(stops.within(120s, 190s) == 7 * 9'750ms);
}

TEST_SUITE_END();
