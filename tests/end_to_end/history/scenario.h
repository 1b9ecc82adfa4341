// A history under one kind of fault, with the contract's sentence checked at its end. Everyday 20,000 operations are
// spread over the scenarios, with GATEWAY_TEST_FULL a million.
#pragma once

#include <functional>
#include <memory>
#include <random>
#include <string>

#include "tests/end_to_end/history/history.h"

namespace history {

bool full();  // GATEWAY_TEST_FULL

struct Scenario {
  std::string name;
  ClusterOptions cluster{};
  bool reads_succeed = true;   // none may fail; not where replicas die under their clients
  int rounds = 2;              // of faults, everyday
  milliseconds limit{10'000};  // everyday
  // A read may miss an unfenced write, and nothing else. Only where a replica loses Redis while others do not.
  bool unfenced_may_show = false;
  // One round: `random` is the same in every run.
  std::function<void(Cluster&, History&, std::mt19937& random)> fault;
  // What holds at the end beside the contract.
  std::function<void(Cluster&, Tally&)> check = [](Cluster&, Tally&) {};
};
void run(const Scenario& scenario);

// Lets the traffic go on until so many more writes were answered: after a new epoch they wait for one lease time first.
void go_on_until_written(const History& history, int writes);

}  // namespace history
