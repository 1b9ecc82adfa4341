// What the status page is told, as JSON. Pure. No secret and no personal data: names of locations and operations, and
// numbers.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

#include "gateway/exchange/state.h"
#include "gateway/status/history.h"
#include "policies/diagnosis.h"

namespace gateway::status {

// What does not change while the process lives.
struct Facts {
  std::string version;
  std::string instance;  // the host's name and the process' id
  std::chrono::seconds started{0};
  std::string upstream;  // its host
  bool cache_enabled = true;
  std::uint64_t cache_bytes = 0, memory_limit = 0;  // 0: none
  bool refuses_writes = false;
  std::vector<std::string> operations;  // names by index
};

// What other parts know.
struct Now {
  exchange::State exchange;
  std::size_t connections = 0;
  bool ending = false;
  bool over_memory = false;
  std::uint64_t resident_bytes = 0;
  std::uint64_t memory_refusals = 0, spans_dropped = 0, log_lines_dropped = 0, settings_refused = 0;  // since the start
};

// {"version":…,"instance":…,"started":…,"upstream":…,"history":[[…],…]}: what a new reader is told once.
std::string hello_json(const Facts& facts, const std::deque<Point>& points);

// {"time":…,"point":[…],"minute":{…},"locations":[…],"operations":[…],"findings":[…],"past":[…],…}: each second.
std::string tick_json(const Facts& facts, const Now& now, const History& history, const policies::Timeline& timeline,
                      std::chrono::seconds wall);

// What the findings are drawn from. `before`: as of ten seconds ago, for the counts of `now` that only grow.
policies::Signs signs_of(const Facts& facts, const Now& now, const Now& before, const History& history,
                         std::chrono::seconds wall);

}  // namespace gateway::status
