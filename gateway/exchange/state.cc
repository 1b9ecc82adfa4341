#include "gateway/exchange/state.h"

#include <algorithm>
#include <tuple>

namespace gateway::exchange {

std::vector<limiter::LocationState> busiest(std::vector<limiter::LocationState> states) {
  const auto more_pressed = [](const limiter::LocationState& a, const limiter::LocationState& b) {
    return std::tie(b.queue, a.budget.remaining, a.location) < std::tie(a.queue, b.budget.remaining, b.location);
  };
  if (states.size() <= kNamedLocations) {
    std::sort(states.begin(), states.end(), more_pressed);
    return states;
  }
  const auto end_of_named = states.begin() + kNamedLocations;
  std::partial_sort(states.begin(), end_of_named, states.end(), more_pressed);
  limiter::LocationState other = *end_of_named;
  other.location = "other";
  for (auto state = end_of_named + 1; state != states.end(); ++state) {
    other.queue += state->queue;
    other.in_flight += state->in_flight;
    other.budget.remaining = std::min(other.budget.remaining, state->budget.remaining);
    other.budget.daily_remaining = std::min(other.budget.daily_remaining, state->budget.daily_remaining);
    other.paused = std::max(other.paused, state->paused);
  }
  states.resize(kNamedLocations);
  states.push_back(std::move(other));
  return states;
}

std::vector<CircuitState> busiest(std::vector<CircuitState> states) {
  std::stable_sort(states.begin(), states.end(),
                   [](const CircuitState& a, const CircuitState& b) { return a.open > b.open; });
  if (states.size() <= kNamedLocations) return states;
  const bool open = states[kNamedLocations].open;
  states.resize(kNamedLocations);
  states.push_back({"other", open});
  return states;
}

}  // namespace gateway::exchange
