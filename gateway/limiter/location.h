// One location's state inside the limiter. Asio thread only; owned by Limiter::Impl and, while they last, by its steps.
#pragma once

#include <asio/steady_timer.hpp>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>

#include "gateway/limiter/permit.h"
#include "gateway/limiter/store.h"
#include "policies/daily_quota.h"
#include "policies/fair_queue.h"
#include "policies/rate_headers.h"

namespace gateway::limiter {

// One acquire() that waits. Its place in the queue (Ahead) owns it; the queue knows it by id.
struct Waiting {
  explicit Waiting(asio::steady_timer wake) : timer(std::move(wake)) {}
  asio::steady_timer timer;  // runs to the deadline; cancelled early when there is an outcome
  Instant deadline{0};
  std::optional<std::uint64_t> granted;
  std::optional<Refusal> refused;
};

struct Location {
  Location(asio::steady_timer timer, policies::FairQueue::Options queue_options, policies::DailyQuota::Options daily)
      : queue(queue_options), quota(daily), wake(std::move(timer)) {}

  std::string name;
  policies::FairQueue queue;
  policies::DailyQuota quota;  // as of the last step; decides refusals
  policies::RateLimit limit;
  std::unordered_map<std::uint64_t, std::shared_ptr<Waiting>> waiting;
  std::unordered_map<std::uint64_t, std::uint64_t> flights;  // the caller's name: waiter

  Step next;  // reports gathered for the next step
  StepResult last;
  Instant last_at{0};
  Instant judged{0};     // the next slot's moment when those who wait were last held against it
  bool known = false;    // there was a step
  bool in_vain = false;  // ... which was granted nothing of what it asked for
  Duration typical{0};   // how long requests take, smoothed
  std::size_t in_flight = 0;
  std::size_t returning = 0;  // unsent permits that no step has reported yet: slots about to be free

  // After a 429 one request at a time asks whether the upstream has room again.
  bool probing = false;
  Instant paused_until{0};
  int refused_in_a_row = 0;

  asio::steady_timer wake;  // for the next step's turn
  Instant wakes_at = Instant::max();
  bool stepping = false;
  bool busy() const { return stepping || wakes_at != Instant::max() || !queue.empty() || in_flight > 0; }
  Instant used_at{0};

  // When the k-th waiter can have a permit, from `at`, if requests take `typical` (0: a lower bound).
  Duration expected_wait(std::size_t k, Duration typical_time, Instant at) const;
  // The same for a background request, by the pace of those (a lower bound).
  Duration paced_wait(std::size_t k, Instant at) const;
  void learn(const policies::StatedLimits& stated, const policies::RateLimit& configured, Instant at);

 private:
  // The upstream does not always say when its day ends. Who is refused then, and so learns nothing more, is not refused
  // for a whole day of ours because of one answer; where the limit is the operator's own, the own count goes on.
  bool uses_up(std::uint64_t daily_remaining) const;
  Instant day_told_until{0};
};

}  // namespace gateway::limiter
