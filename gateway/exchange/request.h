// One request on its way from the worker that parsed it to the Asio thread: everything it needs, owned. Made by Front
// (or by Calls, for the gateway's own), used by Exchange; the worker forgets it once it is handed over. `cancel` is
// emitted on the Asio thread only.
#pragma once

#include <asio/cancellation_signal.hpp>
#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "gateway/server/reply.h"
#include "gateway/tracing/trace.h"
#include "policies/cache_control.h"
#include "policies/catalogue.h"
#include "policies/fields.h"
#include "policies/named_records.h"

namespace gateway::idempotency {
class Held;
}

namespace gateway::limiter {
class Ahead;
}

namespace gateway::exchange {

struct Request {
  Request() = default;
  // The same request once more, to be cancelled by nobody: for a refresh in the background.
  Request(const Request& other);

  std::optional<server::Reply> reply;  // none: the gateway's own, whose caller awaits the answer
  std::chrono::steady_clock::time_point started;
  std::string id;  // X-Request-Id

  const policies::Operation* operation = nullptr;
  std::string method;
  std::string target;
  std::string path;  // of `target`
  policies::Fields fields;
  std::shared_ptr<const std::string> body;

  std::string location;
  std::vector<policies::NamedRecord> to_prove;     // refused unless each is of this location
  std::optional<policies::RecordKind> own_record;  // refused unless the record that it reads is of this location
  std::string version;
  std::uint16_t client = 0;                       // 0: anonymous, else its place in the settings plus one
  int urgency = 3;                                // RFC 9218
  std::optional<std::chrono::milliseconds> wait;  // RFC 7240 `Prefer: wait`
  std::uint64_t flight = 0;                       // the limiter's name for it while it queues; 0: none
  bool left = false;                              // its client has hung up; Asio thread
  mutable bool sent = false;                      // a try has left for upstream
  mutable std::shared_ptr<limiter::Ahead> ahead;  // of its first try: a permit asked for already; null: none
  std::shared_ptr<idempotency::Held> claim;       // of a POST with an Idempotency-Key
  std::function<bool()> may_send;                 // the gateway's own: asked before each try; empty: it may
  tracing::TracePtr trace;                        // null: not traced

  // A read's place in the cache. An empty key: not to be cached (Cache-Control: no-store, a body that has no canonical
  // form or belongs to a GET, two Versions).
  std::string key;
  std::string base_key;  // `key` without the values of the fields that answers vary on
  std::vector<std::string>
      surrogate_keys;  // of a read: what it depends on; of a write: what it changes, as far as the request tells
  policies::RequestCacheControl directives;

  // Emitted when its client hangs up. A read is cancelled at any point; of a write only the waits before its first try.
  mutable asio::cancellation_signal cancel;
};

inline Request::Request(const Request& other)
    : reply(other.reply),
      started(other.started),
      id(other.id),
      operation(other.operation),
      method(other.method),
      target(other.target),
      path(other.path),
      fields(other.fields),
      body(other.body),
      location(other.location),
      to_prove(other.to_prove),
      own_record(other.own_record),
      version(other.version),
      client(other.client),
      urgency(other.urgency),
      wait(other.wait),
      flight(other.flight),
      claim(other.claim),
      may_send(other.may_send),
      trace(other.trace),
      key(other.key),
      base_key(other.base_key),
      surrogate_keys(other.surrogate_keys),
      directives(other.directives) {}

}  // namespace gateway::exchange
