#include "gateway/exchange/gauges.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <chrono>
#include <set>
#include <sstream>

#include "policies/catalogue.h"
#include "tests/support/sanitized.h"

using gateway::exchange::busiest;
using gateway::exchange::CircuitState;
using gateway::exchange::State;
using gateway::limiter::LocationState;
using gateway::metrics::Metrics;
using namespace std::chrono_literals;

namespace {

LocationState location(int number, std::size_t queue, std::uint64_t remaining) {
  LocationState state;
  state.location = "ve9EPM428h8vShlRW" + std::to_string(number);
  state.queue = queue;
  state.budget.limit = {100, 10s};
  state.budget.remaining = remaining;
  state.budget.daily_limit = 200'000;
  state.budget.daily_remaining = 1'000 + static_cast<std::uint64_t>(number);
  return state;
}

State thousand() {
  State state;
  std::vector<LocationState> locations;
  std::vector<CircuitState> circuits;
  for (int i = 0; i < 1000; ++i) {
    locations.push_back(location(i, i == 777 ? 5 : 0, i == 333 ? 0 : 50));
    circuits.push_back({locations.back().location, i == 999});
  }
  state.locations = busiest(std::move(locations));
  state.circuits = busiest(std::move(circuits));
  state.redis_up = true;
  return state;
}

std::size_t count(const std::string& text, const std::string& part) {
  std::size_t n = 0;
  for (auto at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) ++n;
  return n;
}

// Every operation by some clients and statuses, as a busy gateway has them.
void fill(Metrics& metrics, std::uint16_t operations, std::uint16_t clients) {
  using gateway::metrics::CacheResult;
  for (std::uint16_t operation = 0; operation < operations; ++operation)
    for (std::uint16_t client = 0; client <= clients; ++client)
      for (const int status : {200, 404, 429})
        metrics.request({.operation = operation,
                         .method = "GET",
                         .status = status,
                         .client = client,
                         .cache = static_cast<CacheResult>(client % 6),
                         .duration = 1ms});
}

}  // namespace

TEST_SUITE("metrics") {
  TEST_CASE("of a thousand locations the hundred most pressed have their names, the rest are one") {
    const State state = thousand();
    REQUIRE(state.locations.size() == 101);
    CHECK(state.locations[0].queue == 5);
    CHECK(state.locations[1].budget.remaining == 0);
    CHECK(state.locations[100].location == "other");
    REQUIRE(state.circuits.size() == 101);
    CHECK(state.circuits[0].open);
    CHECK(state.circuits[100].location == "other");
    CHECK_FALSE(state.circuits[100].open);
  }

  TEST_CASE(
      "a gateway with a thousand locations scrapes in under 2 MiB and 50 ms, each family once, totals as counters") {
    std::vector<std::string> operations, clients;
    for (const auto& operation : policies::Catalogue::builtin().operations()) operations.push_back(operation.name);
    for (int i = 0; i < 20; ++i) clients.push_back("client-" + std::to_string(i));
    Metrics metrics(operations, clients);
    fill(metrics, static_cast<std::uint16_t>(operations.size()), 20);
    gateway::exchange::add_gauges(metrics, [state = thousand()] { return state; });
    std::string text;
    auto best = std::chrono::steady_clock::duration::max();
    for (int i = 0; i < 10; ++i) {
      const auto begin = std::chrono::steady_clock::now();
      text = metrics.scrape();
      best = std::min(best, std::chrono::steady_clock::now() - begin);
    }
    CHECK(text.size() < 2u << 20);
#ifdef NDEBUG
    if (!test_support::kSanitized) CHECK(best < 50ms);
#endif
    MESSAGE(text.size(), " bytes in ", std::chrono::duration_cast<std::chrono::microseconds>(best).count(), " us");
    CHECK(count(text, "gateway_rate_limit_queue_depth{") == 101);
    CHECK(count(text, "gateway_rate_limit_remaining{") == 202);
    CHECK(count(text, "gateway_upstream_circuit_open{") == 101);
    std::set<std::string> families;
    std::istringstream lines(text);
    for (std::string line; std::getline(lines, line);) {
      if (!line.starts_with("# TYPE ")) continue;
      const auto name = line.substr(7, line.find(' ', 7) - 7);
      CHECK_MESSAGE(families.insert(name).second, name);
      CHECK_MESSAGE(line.ends_with(" counter") == name.ends_with("_total"), line);
    }
  }
}
