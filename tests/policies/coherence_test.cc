// The contract's rules that stand alone; how they work together is tests/model's.
#include "policies/coherence.h"

#include <doctest/doctest.h>

using policies::coherence::may_share_fetch;
using policies::coherence::View;

TEST_SUITE("coherence") {
  TEST_CASE("reads share a fetch only where they know that they saw the same state") {
    const View seen{.epoch = 7, .generations = {1, 2}, .marks = {}};
    View written = seen;
    written.generations[1] = 3;
    View pending = seen;
    pending.marks = {9};
    View later = seen;
    later.epoch = 8;
    struct Row {
      const char* what;
      View flight, reader;
      std::uint64_t flight_counter, reader_counter;
      bool shares;
    };
    const Row rows[] = {
        {"the same state", seen, seen, 4, 4, true},
        {"something was invalidated in this process meanwhile", seen, seen, 4, 5, false},
        {"a write was answered meanwhile", seen, written, 4, 4, false},
        {"a write is under way", seen, pending, 4, 4, false},
        {"a new epoch", seen, later, 4, 4, false},
        {"Redis answered neither", {}, {}, 4, 4, false},
        {"Redis no longer answers", seen, {}, 4, 4, false},
        {"Redis answers again", {}, seen, 4, 4, false},
    };
    for (const auto& row : rows) {
      CAPTURE(row.what);
      CHECK(may_share_fetch(row.flight, row.flight_counter, row.reader, row.reader_counter) == row.shares);
    }
  }
}
