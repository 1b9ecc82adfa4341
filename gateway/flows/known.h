// What a run's rules may refer to, as one JSON value: {"event":…, "run":…, "steps":…}. Any thread.
#pragma once

#include <string>
#include <string_view>

#include "gateway/flows/store.h"
#include "policies/flows/json.h"

namespace gateway::flows {

// The id of a run: the same for the same event and flow, so that a repeated event finds its run.
std::string run_id(std::string_view event, std::string_view flow);

// "cg-" and twelve digits; with the step's name after it, what marks the things that a step makes.
std::string run_ref(std::string_view run);
std::string step_ref(std::string_view run, std::string_view step);

// SHA-256 as 64 hexadecimal digits.
std::string sha256_hex(std::string_view text);

// `body`: the event's, as parsed.
policies::flows::Json known_of(const std::string& run, const Event& event, policies::flows::Json body);

}  // namespace gateway::flows
