#include "policies/plain_look_up.h"

#include <doctest/doctest.h>

namespace {
using namespace policies::coherence;
using std::chrono::milliseconds;

// All that a lookup is told; as it stands, the entry may be served.
struct Told {
  Epoch epoch = 7;
  bool made_here = true;
  std::optional<Milliseconds> last_lease_ends = milliseconds(2'000);
  Generation first = 11, second = 12;
  bool marked = false;
  std::optional<Stamp> entry = Stamp{7, {11, 12}};
  bool refused = false;
  Milliseconds now{1'000};
};

bool served(const Told& told) {
  PlainLookUp look_up;
  look_up.epoch(told.epoch, told.made_here, told.last_lease_ends);
  look_up.key(told.first, false);
  look_up.key(told.second, told.marked);
  if (told.entry) look_up.entry(*told.entry);
  if (told.refused) look_up.write_refused();
  return look_up.may_serve_at(told.now);
}
}  // namespace

TEST_SUITE("coherence") {
  TEST_CASE("what plain commands found is served when nothing speaks against it") {
    CHECK(served({}));
    CHECK(served({.last_lease_ends = std::nullopt}));  // all leases were given back
    CHECK(served({.now = milliseconds(1'999)}));
  }

  TEST_CASE("any doubt about what plain commands found is a no") {
    CHECK_FALSE(served({.epoch = 0, .entry = Stamp{0, {11, 12}}}));
    CHECK_FALSE(served({.epoch = 8}));
    CHECK_FALSE(served({.made_here = false}));
    CHECK_FALSE(served({.last_lease_ends = milliseconds(1'000)}));
    CHECK_FALSE(served({.last_lease_ends = milliseconds(0)}));
    CHECK_FALSE(served({.first = 0, .entry = Stamp{7, {0, 12}}}));
    CHECK_FALSE(served({.second = 13}));
    CHECK_FALSE(served({.marked = true}));
    CHECK_FALSE(served({.entry = std::nullopt}));
    CHECK_FALSE(served({.entry = Stamp{7, {11}}}));
    CHECK_FALSE(served({.refused = true}));
    CHECK_FALSE(served({.now = milliseconds(0)}));
  }
}
