// Requests of the gateway's own (flows, whole records, exports): they take the road of a client's request, through
// cache, single flight, limiter, retries and fences, and come back to the coroutine that made them. Asio thread only.
// The caller has checked access: a call is made with the rights of the gateway. Calls are counted by what they cause
// (upstream, limiter, Redis), not as clients' requests.
#pragma once

#include <asio/awaitable.hpp>
#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "gateway/exchange/exchange.h"
#include "gateway/exchange/in_force.h"
#include "gateway/exchange/vary_names.h"
#include "gateway/server/reply.h"
#include "gateway/tracing/trace.h"
#include "policies/catalogue.h"
#include "policies/fields.h"

namespace gateway::exchange {

struct Call {
  std::string method = "GET";
  std::string target;       // "/contacts/abc?x=1", as a client would send it; only the catalogue's operations
  policies::Fields fields;  // more fields: Version, Idempotency-Key, Cache-Control, traceparent
  std::string body;
  std::string location;      // whose credentials, limit and cache entries; empty: the credentials' own
  std::uint16_t client = 0;  // on whose behalf it queues: the fair queue goes round-robin over clients
  int urgency = 7;           // RFC 9218; 7: background
  std::optional<std::chrono::milliseconds> wait;  // for a permit at most; empty: rate_limit.max_wait
  std::string id;                                 // X-Request-Id; empty: none
  // Asked when the permit is there, before each try; false: it is refused, and nothing is sent. Empty: it may.
  std::function<bool()> may_send;
  // On behalf of a client that may use some locations only: refused (403) where target or body name another location
  // than `location`, or, the token being good elsewhere too, where a record that they name is not shown to be of it.
  bool proves = false;
  tracing::TracePtr trace;  // whose spans its steps belong to; null: not traced
};

class Calls {
 public:
  Calls(const InForceHolder& in_force, const policies::Catalogue& catalogue, const VaryNames& vary_names,
        Exchange& exchange);

  // The answer with the fields a client would see (Cache-Status, Age, ...), decoded where upstream compressed it. What
  // cannot be sent or is refused comes back as the problem response a client would get: the caller looks at the status.
  asio::awaitable<server::Response> run(Call call) const;

  // What is left of the rate limit that calls for this location (as in Call) spend.
  limiter::Budget budget(const std::string& location) const;

 private:
  // Its place in the cache, where it has one.
  void add_key(Request& request, const policies::Match& match, std::string_view query, const Call& call) const;

  const InForceHolder& in_force_;
  const policies::Catalogue& catalogue_;
  const VaryNames& vary_names_;
  Exchange& exchange_;
};

}  // namespace gateway::exchange
