// How many seeds a property test runs: all of them in release, a tenth where assertions and sanitizers make each one
// slow; GATEWAY_TEST_SEEDS overrides it.
#pragma once

#include <cstdlib>

namespace tests {

inline unsigned seeds() {
  if (const char* given = std::getenv("GATEWAY_TEST_SEEDS")) return static_cast<unsigned>(std::atoi(given));
#ifdef NDEBUG
  return 10'000;
#else
  return 1'000;
#endif
}

}  // namespace tests
