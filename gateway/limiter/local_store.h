// The window and daily count of each location in this process. Asio thread only.
#pragma once

#include <unordered_map>

#include "gateway/limiter/store.h"
#include "policies/background_pace.h"
#include "policies/daily_quota.h"

namespace gateway::limiter {

class LocalStore : public Store {
 public:
  explicit LocalStore(Duration hold) : hold_(hold) {}

  std::optional<StepResult> step(const std::string& location, const Step& step, Later later) override;
  bool forget(const std::string& location) override;

 private:
  struct Location {
    policies::RateWindow window;
    policies::DailyQuota daily;
    policies::BackgroundPace pace;
  };

  Duration hold_;
  std::unordered_map<std::string, Location> locations_;
};

// What a step does to a window and a day that are kept here, also those of a replica on its own.
StepResult apply(policies::RateWindow& window, policies::DailyQuota& daily, policies::BackgroundPace& pace,
                 const Step& step, Instant at);

}  // namespace gateway::limiter
