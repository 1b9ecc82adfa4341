// Where a location's window and daily count are kept: in this process (LocalStore) or in a Redis shared by replicas
// (RedisStore). The limiter reports and asks in steps: one step is one round trip. Asio thread only.
// A step always has a result: a store that lost its Redis answers from the share that is left to this replica.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "policies/instant.h"
#include "policies/rate_window.h"

namespace gateway::limiter {

using policies::Duration;
using policies::Instant;

Instant now();  // CLOCK_MONOTONIC

struct Step {
  policies::RateLimit limit;                        // what is known of it now
  std::uint64_t daily_limit = 0;                    // the setting; 0: none
  std::uint64_t daily_background = 0;               // of these, for the asks that are not urgent
  std::optional<std::uint64_t> stated_daily_limit;  // X-RateLimit-Limit-Daily as last seen
  std::vector<std::uint64_t> ended, unsent;         // permits granted before
  std::vector<std::uint64_t> asks;                  // ids for new ones, never used before; granted from the front
  std::size_t urgent = 0;                           // so many of the asks: the rest keeps to policies::BackgroundPace
  std::optional<std::uint64_t> remaining;           // X-RateLimit-Remaining seen since the last step, the lowest
  std::optional<Duration> pause;                    // from now
  std::optional<std::uint64_t> daily_remaining;
  std::optional<Duration> daily_reset;

  bool reports() const {
    return !ended.empty() || !unsent.empty() || remaining || pause || daily_remaining || daily_reset;
  }
};

// All durations from the moment of the result.
struct StepResult {
  std::size_t granted = 0;      // so many of the asks, from the front
  std::uint64_t available = 0;  // slots free now
  Duration next_free{0};        // no further slot is free before (a lower bound; 0: there is one)
  Duration next_background{0};  // none of the background is granted before (a lower bound)
  Duration all_free{0};         // when the last of the window's slots can be free (a lower bound)
  Duration paused{0};
  std::uint64_t daily_used = 0;
  Duration daily_reset{0};
};

class Store {
 public:
  virtual ~Store() = default;
  virtual void start() {}
  virtual void stop() {}
  // At most one step a location at a time. Its result at once, or nothing, and `later` is called with it: with none
  // where it failed for reasons of this process, and nobody knows whether it happened.
  using Later = std::function<void(std::optional<StepResult>)>;
  virtual std::optional<StepResult> step(const std::string& location, const Step& step, Later later) = 0;
  // Drops what is kept of a location that no longer matters; false: it still does.
  virtual bool forget(const std::string& location) = 0;
};

}  // namespace gateway::limiter
