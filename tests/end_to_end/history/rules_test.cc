// The checker is worth something only if it notices: each rule of the contract is taken out of the running program
// (tests/fault_points), and it must find reads that are too old.
#include <doctest/doctest.h>

#include <csignal>

#include "tests/end_to_end/history/scenario.h"

using namespace history;

namespace {

using Fault = std::function<void(Cluster&, History&)>;

void expect_violations(const std::string& rule, const Fault& fault, std::vector<std::string> simulator = {}) {
  const std::vector<std::string> without{"ALTERED_WITHOUT=" + rule};
  ClusterOptions options{.alteration = {without, without, without}, .relayed = true};
  if (!simulator.empty()) options.simulator = std::move(simulator);
  Cluster cluster(std::move(options));
  History history(cluster, {.rounds = 100, .limit = milliseconds(40'000)});
  history.run([&] {
    fault(cluster, history);
    if (history.tally.violations > 0) history.end();
  });
  MESSAGE("without ", rule, ": ", history.tally.violations.load(), " violations in ", history.tally.reads.load(),
          " reads; the first: ", history.tally.first_violation);
  CHECK(history.tally.violations > 0);
}

bool found(const History& history) { return history.tally.violations > 0; }

void calm(Cluster&, History& history) {
  history.go_on(1'000, [&] { return found(history); });
}

}  // namespace

TEST_SUITE("history") {
  TEST_CASE("without the pending mark the checker finds violations") { expect_violations("pending-mark", calm); }

  TEST_CASE("without new generations the checker finds violations") { expect_violations("generation", calm); }

  // The replica stands still for less than its lease: a writer that does not wait for it is answered meanwhile, and it
  // then serves from its memory what clients asked it after that.
  TEST_CASE("without the wait for acknowledgements the checker finds violations") {
    expect_violations("acknowledgements", [](Cluster& cluster, History& history) {
      history.go_on(300);
      cluster.signal(2, SIGSTOP);
      history.go_on(700);
      cluster.signal(2, SIGCONT);
    });
  }

  // The replica is cut off for longer than its lease: the writers have waited for that, and it goes on with its memory.
  TEST_CASE("without the lease's fence the checker finds violations") {
    expect_violations("lease-fence", [](Cluster& cluster, History& history) {
      history.go_on(100);
      history.hold_writes(true);  // until its memory holds something
      history.go_on(200);
      cluster.relay(2).set(TcpRelay::Mode::Refuse);
      history.go_on(200);
      history.hold_writes(false);
      history.go_on(6'000, [&] { return found(history); });
      cluster.relay(2).set(TcpRelay::Mode::Pass);
    });
  }

  // The marks are lost while writes are under way: what was fetched before them is stored as if nothing happened.
  TEST_CASE("without the check of the marks at the end the checker finds violations") {
    expect_violations("end-check", [](Cluster& cluster, History& history) {
      for (int c = 1; c <= kContacts; ++c)
        cluster.redis.command({"DEL", "cg:s:contact:contact000000000000" + std::to_string(c)});
      history.go_on(2, [&] { return found(history); });
    });
  }

  // A read that began after a write's answer is handed the fetch that began before it, where that one takes longer.
  TEST_CASE("without the comparison of a flight's state the checker finds violations") {
    expect_violations("flight-state", calm, {"--latency", "0ms-200ms"});
  }
}
