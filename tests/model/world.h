// A small world for the coherence contract: one surrogate key, two replicas, a few writes and reads, an upstream that
// counts the writes it applied, and faults. Every decision in it is taken by the product's own code
// (policies/coherence.h, policies/ledger.h); the world only moves messages, in every order, and lets time pass in steps
// of one second. The property is the contract's sentence: a read that begins after a write was answered returns that
// write's effect or a later one.
#pragma once

#include <array>
#include <optional>
#include <string>
#include <vector>

#include "policies/ledger.h"

namespace model {

using namespace policies::coherence;

inline constexpr int kReplicas = 2;

// Rules that can be taken out, one at a time, to see that the property then fails.
enum class Without {
  Nothing,
  PendingMark,
  Generation,
  Acknowledgement,
  LeaseFence,
  MemoryGuard,
  EndCheck,
  RunId,
  Quarantine,
  FlightState
};
const char* name_of(Without rule);

struct Bounds {
  int writes = 1;
  int reads = 2;
  int restarts = 0;
  int rollbacks = 0;  // fail-overs to an older copy
  int crashes = 0;
  int evictions = 0;
  int seconds = 0;
  int reports = 3;   // of all replicas together, beyond those at the start
  bool warm = true;  // both memories hold the first version at the start
  Without without = Without::Nothing;
  std::size_t most_states = 4'000'000;
};

struct Found {
  bool violated = false;
  bool complete = true;  // false: most_states was reached
  std::size_t states = 0;
  std::vector<std::string> trace;
};

Found explore(const Bounds& bounds);

}  // namespace model
