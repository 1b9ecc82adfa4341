// Keeps every location under its upstream rate limit by making requests wait (README, "Rate limits"): one fair queue a
// location, permits from a Store, corrections from what the upstream's answers state. Every try takes a permit, retries
// too.
//
// Everything runs on the io_context's single thread. acquire() is cancellation-safe: a client that hung up leaves the
// queue, and a permit that came at that very moment goes back unsent. Locations nobody uses are dropped.
#pragma once

#include <asio/awaitable.hpp>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "gateway/limiter/permit.h"
#include "policies/daily_quota.h"
#include "policies/fair_queue.h"
#include "policies/fields.h"
#include "policies/rate_window.h"
#include "policies/retry.h"

namespace asio {
class io_context;
}
namespace gateway::redis {
class Client;
}

namespace gateway::limiter {

struct Options {
  policies::RateLimit limit;                   // rate_limit.requests, .interval
  std::uint64_t daily = 200'000;               // rate_limit.daily; 0: none
  double daily_reserve = 0.05;                 // kept for urgency 0..3
  std::chrono::milliseconds max_wait{30'000};  // the longest wait anybody may have
  std::size_t queue = 1'000;                   // waiters a location
  std::chrono::milliseconds upstream_timeout{
      30'000};                                  // how long a request can take: a lost permit returns so long + W after
  std::vector<double> client_rates;             // requests a second by client index; 0 or missing: no cap
  policies::RetryOptions backoff;               // for pauses after a 429 that says nothing
  std::chrono::milliseconds quarantine{3'000};  // after Redis came back without its data (redis_store.h)
  std::size_t locations = 10'000;               // kept in memory; beyond it idle ones go early
};

// A place in a location's queue. Whoever drops it leaves the queue, and a permit that had come goes back unsent. Asio
// thread only.
class Ahead;

struct PermitRequest {
  std::string location;
  std::uint32_t client = 0;                 // as in metrics: index into the configured clients plus one; 0: anonymous
  int urgency = policies::kDefaultUrgency;  // RFC 9218, already held to the client's best
  std::chrono::milliseconds max_wait{-1};   // `Prefer: wait=S`; negative: the limiter's. Never longer than it
  std::uint64_t flight = 0;                 // the caller's name for improve(); 0: none
  bool retry = false;                       // a further try of a request the client's own rate already counted
  std::shared_ptr<Ahead> ahead;             // what ask_ahead() gave for it; null: nothing
};

// What a location has left, for RateLimit fields and metrics.
struct Budget {
  policies::RateLimit limit;
  std::uint64_t remaining = 0;  // in the window, by the last step
  policies::Duration until_more{0};
  std::uint64_t daily_limit = 0, daily_remaining = 0;  // limit 0: no quota
  policies::Duration until_new_day{0};
};
struct LocationState {
  std::string location;
  std::size_t queue = 0;
  std::size_t in_flight = 0;  // of this replica
  Budget budget;
  policies::Duration paused{0};
};

class Limiter {
 public:
  // `redis` null: the windows are kept in this process. It must outlive the limiter.
  Limiter(asio::io_context& io, Options options, redis::Client* redis);
  ~Limiter();
  Limiter(const Limiter&) = delete;
  Limiter& operator=(const Limiter&) = delete;

  void start();
  // Limits and rates from now on; those who wait stay. What Redis and the windows know of requests stays known.
  void reconfigure(Options options);
  void stop();  // waiters stay until cancelled or out of time; no new round trips

  asio::awaitable<PermitOrRefusal> acquire(PermitRequest request);
  // Why acquire() would refuse this at once; nothing: it would not, or would wait.
  std::optional<Refusal> refusal(const PermitRequest& request);
  // For who will very likely acquire() in a moment, and first waits for something else. Null where others could miss
  // the permit meanwhile: somebody waits, the location or its day is near its limit, the client has a rate of its own.
  std::shared_ptr<Ahead> ask_ahead(const PermitRequest& request);

  // Somebody joined the request waiting under that name: the better urgency and the later deadline count.
  void improve(const std::string& location, std::uint64_t flight, int urgency, std::chrono::milliseconds max_wait);

  // Every answer of the upstream, before its permit ends: corrections, and the pause after a 429 (returned; else 0).
  policies::Duration observe(const std::string& location, int status, const policies::Fields& fields);

  Budget budget(const std::string& location) const;  // the configured limit where nothing is known
  std::vector<LocationState> snapshot() const;

  class Impl;

 private:
  std::shared_ptr<Impl> impl_;
};

}  // namespace gateway::limiter
