#include "policies/memory_pressure.h"

#include <doctest/doctest.h>

using policies::MemoryPressure;

using namespace std::chrono_literals;

TEST_SUITE("memory pressure") {
  TEST_CASE("refusing begins above the limit and ends under nine tenths of it") {
    MemoryPressure pressure(1000);
    CHECK_FALSE(pressure.observe(1000, 1s));
    CHECK(pressure.observe(1001, 1s));
    CHECK(pressure.observe(950, 2s));
    CHECK(pressure.observe(900, 3s));
    CHECK_FALSE(pressure.observe(899, 4s));
    CHECK_FALSE(pressure.observe(1000, 4s));
    CHECK(pressure.observe(5000, 5s));
  }

  TEST_CASE("what needs nearly all of it by itself serves again after five seconds under the limit") {
    MemoryPressure pressure(1000);
    CHECK(pressure.observe(1001, 10s));
    CHECK(pressure.observe(990, 14900ms));
    CHECK_FALSE(pressure.observe(990, 15s));
  }

  TEST_CASE("the cache gives way at once when it has grown again, and with little in it once a second") {
    MemoryPressure pressure(1600);
    CHECK_FALSE(pressure.gives_way(1600, 800, 1s));
    CHECK(pressure.gives_way(1601, 0, 1s));
    CHECK_FALSE(pressure.observe(1000, 1s));
    CHECK(pressure.gives_way(1601, 800, 1100ms));
    CHECK(pressure.gives_way(1601, 100, 1200ms));
    CHECK_FALSE(pressure.gives_way(1601, 99, 1300ms));
    CHECK(pressure.observe(1601, 1300ms));
    CHECK_FALSE(pressure.gives_way(1500, 0, 2100ms));
    CHECK(pressure.gives_way(1500, 0, 2200ms));  // while requests are refused, too
  }

  TEST_CASE("without a limit nothing is refused") {
    MemoryPressure pressure(0);
    CHECK_FALSE(pressure.above(1ull << 40));
    CHECK_FALSE(pressure.gives_way(1ull << 40, 1 << 20, 1s));
    CHECK_FALSE(pressure.observe(1ull << 40, 1s));
  }
}
