#include "policies/client_rate.h"

#include <doctest/doctest.h>

using namespace std::chrono_literals;

TEST_SUITE_BEGIN("client rate");

TEST_CASE("a client has a second's worth at once, then one turn each spacing, and is refused beyond its patience") {
  policies::ClientRate rate(4);
  for (int i = 0; i < 4; ++i) CHECK(rate.reserve(10s, 0s) == 0us);
  CHECK_FALSE(rate.reserve(10s, 249ms).has_value());
  CHECK(rate.wait_for(10s) == 250ms);
  CHECK(rate.reserve(10s, 250ms) == 250ms);
  CHECK(rate.reserve(10s, 1s) == 500ms);
  CHECK(rate.reserve(12s, 0s) == 0us);
}

TEST_CASE("a rate below one a second lets single requests through") {
  policies::ClientRate rate(0.5);
  CHECK(rate.reserve(10s, 0s) == 0us);
  CHECK(rate.wait_for(10s) == 2s);
  CHECK(rate.reserve(12s, 0s) == 0us);
}

TEST_SUITE_END();
