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
  bool reads_succeed = true;  // none may fail; not where replicas die under their clients
  int rounds = 2;             // of faults, everyday
  // One round: `random` is the same in every run.
  std::function<void(Cluster&, History&, std::mt19937& random)> fault;
  // What holds at the end beside the contract.
  std::function<void(Cluster&, Tally&)> check = [](Cluster&, Tally&) {};
};
void run(const Scenario& scenario);

}  // namespace history
