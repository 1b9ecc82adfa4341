// What the limiter's scripts are told and what they answer, as Redis' words (scripts.cc).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "gateway/limiter/place.h"
#include "gateway/redis/client.h"

namespace gateway::limiter {

std::string text(Duration duration);  // in microseconds
std::string text(std::uint64_t number);

// Who asks, and how long a permit that is never reported again keeps its slot, less the interval.
struct Asker {
  std::string nonce, replica;
  Duration hold;
};
// Of the step script: the oldest `ended` and `unsent` of the place's reports, and what the step asks.
std::vector<std::string> step_arguments(const Asker& asker, const Place& place, const Step& step, std::size_t ended,
                                        std::size_t unsent);

// A reply of integers; nothing: there is none, or it is something else.
std::optional<std::vector<std::int64_t>> numbers(const redis::Result& result);

}  // namespace gateway::limiter
