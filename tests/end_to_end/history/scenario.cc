#include "tests/end_to_end/history/scenario.h"

#include <doctest/doctest.h>

#include <cstdlib>

#include "tests/support/sanitized.h"

namespace history {

namespace {
// 15 scenarios.
History::Options amount(const Scenario& scenario) {
  if (full()) return {.operations = 67'000, .rounds = 20, .limit = milliseconds(1'200'000)};
  if (test_support::kSanitized) return {.operations = 300, .rounds = 1, .limit = scenario.limit};
  return {.operations = 1'350, .rounds = scenario.rounds, .limit = scenario.limit};
}
}  // namespace

bool full() { return std::getenv("GATEWAY_TEST_FULL") != nullptr; }

void go_on_until_written(const History& history, int writes) {
  const auto written = [&] { return history.tally.writes + history.tally.unfenced_writes; };
  const int before = written();
  history.go_on(8'000, [&] { return written() >= before + writes; });
}

void run(const Scenario& scenario) {
  Cluster cluster(scenario.cluster);
  History history(cluster, amount(scenario));
  std::mt19937 random(7);
  history.run([&] { scenario.fault(cluster, history, random); });
  auto& tally = history.tally;
  MESSAGE(scenario.name, ": ", history.operations(), " operations, ", tally.reads.load(), " reads (", tally.hits.load(),
          " hits, ", tally.failed_reads.load(), " failed), ", tally.writes.load(), " writes (and ",
          tally.unknown_writes.load(), " without an answer, ", tally.unfenced_writes.load(), " unfenced), ",
          tally.violations.load(), " violations");
  CHECK_MESSAGE(tally.violations == 0, tally.first_violation);
  MESSAGE(scenario.name, ": ", tally.unfenced_violations.load(), " reads missed unfenced writes alone");
  if (!scenario.unfenced_may_show) CHECK(tally.unfenced_violations == 0);
  CHECK(tally.hits > 0);
  CHECK(tally.writes > 0);
  if (scenario.reads_succeed) CHECK_MESSAGE(tally.failed_reads == 0, tally.failure);
  scenario.check(cluster, tally);
}

}  // namespace history
