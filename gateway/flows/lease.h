// This replica's hold on the entry of a run: renewed while the run is under way, lost when that fails for long enough
// that another replica may claim it. What is made upstream is made only while it holds:
//   1. a renewal that Redis has done sets the entry's idle time to 0 at a moment after it was sent;
//   2. another replica claims an entry whose idle time is kIdle, so not before kIdle after the renewal was sent;
//   3. this replica sends nothing upstream later than kHold after the last such renewal was sent, kHold < kIdle;
//   4. so what was sent has reached the upstream before anybody claims, and whoever does waits for another
//      upstream.timeout before it looks whether it was applied.
// Asio thread only.
#pragma once

#include <chrono>
#include <functional>
#include <memory>

#include "gateway/cache/fence.h"
#include "gateway/flows/store.h"

namespace gateway::flows {

inline constexpr std::chrono::milliseconds kRenew{2'000}, kHold{8'000}, kIdle{10'000};

struct Lease {
  Taken taken;
  std::chrono::milliseconds renewed{0};  // boottime, when the renewal was sent
  bool lost = false;
  bool claimed = false;  // of a replica that did not end it
  bool sending = false;  // something of its may be on its way upstream

  bool holds() const { return !lost && cache::boottime() < renewed + kHold; }
};
using LeasePtr = std::shared_ptr<Lease>;

}  // namespace gateway::flows
