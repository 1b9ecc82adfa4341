// A small world for the coherence contract: one entry under one or two surrogate keys, two replicas, up to two writes
// and two reads, an upstream that counts the writes it applied, and faults. Every decision in it is taken by the
// product's own code (policies/coherence.h, policies/ledger.h, policies/plain_look_up.h); the world only moves
// messages, in every order, and lets time pass in steps. The property is the contract's sentence: a read that begins
// after a write was answered returns that write's effect or a later one.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

namespace model {

inline constexpr int kReplicas = 2, kMostWriters = 2, kMostReaders = 2, kMostKeys = 2;

// Rules that can be taken out, one at a time, to see what becomes of the property then.
enum class Without {
  Nothing,
  PendingMark,
  MarkSet,     // all writes share one mark
  Generation,  // a write leaves the generation as it was
  Capture,     // an entry is stored under the generations of when it is stored
  Acknowledgement,
  LeaseFence,
  MemoryGuard,
  EndCheck,
  RunId,
  Quarantine,
  FlightState,
  FlightMarks,  // a flight is joined whatever marks it saw
  LateFence,    // a write that Redis did not see is answered at once
  // What a lookup by plain commands checks.
  PlainEpoch,
  PlainRunId,
  PlainMarks,
  PlainGenerations,
  PlainLease,
  PlainWrite,
};
const char* name_of(Without rule);

struct Bounds {
  int writes = 1;
  int reads = 2;
  int restarts = 0;
  int rollbacks = 0;  // fail-overs to an older copy
  int crashes = 0;
  int evictions = 0;
  int standstills = 0;  // Redis does not answer for a while
  int seconds = 0;
  int reports = -1;  // of all replicas together; -1: as many as they like
  int keys = 1;      // with two, the second write is of the second key
  bool deposed =
      false;           // it begins as Redis fails over: the old master learns of that later, and those connected to it
  bool memory = true;  // there is a memory tier
  bool memory_full = true;  // both memories hold the first version at the start
  bool redis_full = true;   // and Redis does
  bool script = true;       // reads may look up by the script
  bool plain = false;       // and by plain commands
  Without without = Without::Nothing;
  bool shortest = false;  // finds the shortest way to a violation, at some cost
  std::size_t most_states = 100'000'000;
};
std::string to_string(const Bounds& bounds);

struct Found {
  bool violated = false;
  bool complete = true;  // false: most_states was reached
  std::size_t states = 0;
  std::vector<std::string> trace;
};

Found explore(const Bounds& bounds);

}  // namespace model
