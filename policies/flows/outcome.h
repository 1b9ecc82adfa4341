// What becomes of a step after its answer, and when a run that could not go on is tried again. Pure; any thread.
#pragma once

#include <chrono>
#include <cstdint>
#include <string_view>
#include <vector>

#include "policies/flows/repeat.h"

namespace policies::flows {

enum class Verdict : std::uint8_t {
  Done,
  Wait,   // the gateway did not send it (its limits, the circuit, Redis): again later, and no attempt is counted
  Again,  // surely not applied: again later
  Doubt,  // it may have been applied: again once it cannot be under way any more, and then as its Repeat says
  Dead,   // it would fail again: to the dead letters
};
std::string_view to_string(Verdict verdict);

struct StepAnswer {
  int status = 0;
  std::string_view refusal;  // the problem's type where the gateway answered itself: "queue-full"; empty: upstream's
  Repeat repeat = Repeat::Safe;
};
// `accepted`: statuses besides 2xx that count as done.
Verdict judge(const StepAnswer& answer, const std::vector<int>& accepted);

// The pause before the next attempt: from half a second to ten minutes. `attempt`: those made so far, from 1; `jitter`:
// uniform in [0, 1).
std::chrono::milliseconds backoff(int attempt, double jitter);

}  // namespace policies::flows
