// How the exchange stands, as numbers: for metrics and the status page. Copies, made by any thread; what is about
// locations is at most a quarter of a second old.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "gateway/limiter/limiter.h"

namespace gateway::exchange {

struct CircuitState {
  std::string location;
  bool open = false;
};

// A token of an OAuth grant. Never the token itself.
struct TokenState {
  std::string location;
  std::chrono::milliseconds expires{0};  // Unix time
};

// Traced spans since the start (gateway_trace_spans_total).
struct SpanCounts {
  std::uint64_t sent = 0, dropped = 0, failed = 0;
};

struct State {
  std::vector<limiter::LocationState> locations;                      // the busiest, then "other"
  std::vector<CircuitState> circuits;                                 // likewise, open ones first
  std::size_t known_locations = 0;                                    // all of them
  std::optional<bool> redis_up;                                       // nothing: none is configured
  std::uint64_t memory_bytes = 0, memory_entries = 0, evictions = 0;  // of the memory tier
  std::uint64_t memory_limit = 0, memory_refusals = 0;                // server.memory_limit; refusals since the start
  bool over_memory = false;                                           // it refuses requests
  SpanCounts spans;
  std::vector<TokenState> tokens;           // soonest to end first
  std::vector<std::string> token_troubles;  // sentences for an operator
  std::size_t fixed_tokens = 0;             // private integration tokens, which do not end
};

// A label per location is bounded: at most a hundred by name, those with the longest queues and the least budget, or
// with open circuits; the others as one, "other".
inline constexpr std::size_t kNamedLocations = 100;
std::vector<limiter::LocationState> busiest(std::vector<limiter::LocationState> states);
std::vector<CircuitState> busiest(std::vector<CircuitState> states);

}  // namespace gateway::exchange
