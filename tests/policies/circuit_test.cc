#include "policies/circuit.h"

#include <doctest/doctest.h>

using namespace std::chrono_literals;
using policies::Circuit;
using policies::CircuitOutcome;
using policies::CircuitState;
using policies::Instant;

namespace {

void run(Circuit& circuit, int times, CircuitOutcome outcome, Instant now) {
  for (int i = 0; i < times; ++i) {
    const auto admitted = circuit.admit(now);
    REQUIRE(std::holds_alternative<Circuit::Admitted>(admitted));
    circuit.report(std::get<Circuit::Admitted>(admitted), outcome, now);
  }
}

bool admits(Circuit& circuit, Instant now) { return std::holds_alternative<Circuit::Admitted>(circuit.admit(now)); }

}  // namespace

TEST_SUITE_BEGIN("circuit");

TEST_CASE("failures in a row open it, and an answer in between starts the count anew") {
  Circuit circuit({});
  run(circuit, 4, CircuitOutcome::Failure, 0s);
  run(circuit, 1, CircuitOutcome::Success, 0s);
  run(circuit, 4, CircuitOutcome::Failure, 0s);
  run(circuit, 9, CircuitOutcome::Neither, 0s);
  CHECK(circuit.state(0s) == CircuitState::Closed);
  run(circuit, 1, CircuitOutcome::Failure, 0s);
  CHECK(circuit.state(0s) == CircuitState::Open);
  CHECK(std::get<Circuit::Refused>(circuit.admit(400ms)).retry_after == 600ms);
}

TEST_CASE("a failure rate over a rolling window opens it, failures older than the window do not count") {
  Circuit circuit({});
  const auto mixed = [&](int pairs, Instant now) {
    for (int i = 0; i < pairs; ++i) {
      run(circuit, 1, CircuitOutcome::Success, now);
      run(circuit, 1, CircuitOutcome::Failure, now);
    }
  };
  mixed(9, 0s);
  mixed(9, 10s);
  CHECK(circuit.state(10s) == CircuitState::Closed);
  mixed(1, 12s);
  CHECK(circuit.state(12s) == CircuitState::Open);
}

TEST_CASE("half-open lets one probe through; its failure doubles the time, its success closes") {
  Circuit circuit({.open_first = 1s, .open_most = 3s});
  run(circuit, 5, CircuitOutcome::Failure, 0s);
  CHECK_FALSE(admits(circuit, 999ms));
  CHECK(circuit.state(1s) == CircuitState::HalfOpen);
  auto probe = circuit.admit(1s);
  REQUIRE(std::holds_alternative<Circuit::Admitted>(probe));
  CHECK(std::get<Circuit::Admitted>(probe).probe);
  CHECK_FALSE(admits(circuit, 1s));
  circuit.report({false}, CircuitOutcome::Success, 1s);  // from before it opened
  CHECK_FALSE(admits(circuit, 1s));
  circuit.report({true}, CircuitOutcome::Failure, 2s);
  CHECK_FALSE(admits(circuit, 4s - 1us));  // 2 s more
  REQUIRE(admits(circuit, 4s));
  circuit.report({true}, CircuitOutcome::Failure, 4s);
  CHECK_FALSE(admits(circuit, 7s - 1us));  // not 4: the most is 3
  REQUIRE(admits(circuit, 7s));
  circuit.report({true}, CircuitOutcome::Neither, 7s);  // its client hung up: the next one probes
  REQUIRE(admits(circuit, 7s));
  circuit.report({true}, CircuitOutcome::Success, 8s);
  CHECK(circuit.state(8s) == CircuitState::Closed);
  CHECK(circuit.idle(8s));
  run(circuit, 4, CircuitOutcome::Failure, 8s);
  CHECK_FALSE(circuit.idle(8s));
  CHECK(circuit.state(8s) == CircuitState::Closed);
}

TEST_CASE("a probe that never reports does not hold it open for ever") {
  Circuit circuit({.open_first = 1s, .probe_limit = 10s});
  run(circuit, 5, CircuitOutcome::Failure, 0s);
  REQUIRE(admits(circuit, 1s));
  CHECK_FALSE(admits(circuit, 11s - 1us));
  CHECK(admits(circuit, 11s));
}

TEST_SUITE_END();
