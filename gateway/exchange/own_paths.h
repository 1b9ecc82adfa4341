// The gateway's own paths on the public address: whole records, exports, leads. `policies/catalogue/gateway.json` has
// their names, methods and templates; here a handler is given to each. Front does for them what it does for upstream's
// operations before it calls the handler: client (401), method (405), location (400), access by location and by read or
// write (403). A path without a handler is unknown (404). Handlers are given before the servers start; after that any
// thread may read.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "gateway/exchange/report.h"
#include "gateway/server/reply.h"
#include "policies/catalogue.h"
#include "policies/fields.h"

namespace gateway::exchange {

// One request for such a path, owned, so that it may wait anywhere for its answer. Exactly one answer() is expected, or
// a stream on `reply` and then one finished().
struct OwnRequest {
  explicit OwnRequest(server::Reply to) : reply(std::move(to)) {}

  server::Reply reply;
  std::chrono::steady_clock::time_point started;
  std::string id;  // X-Request-Id
  const policies::Operation* operation = nullptr;
  std::string method;  // HEAD for a path of GET too; its body is left out by the server
  std::vector<std::pair<std::string, std::string>> parameters;  // of the path, decoded
  std::string query;                                            // raw
  policies::Fields fields;
  std::string body;
  std::string location;                           // empty: unknown, the credentials serve for all
  bool restricted = false;                        // its client may use some locations only
  bool proves = false;                            // a record is answered only where its own location is this one
  std::uint16_t client = 0;                       // 0: anonymous
  int urgency = 3;                                // RFC 9218, as granted to the client
  std::optional<std::chrono::milliseconds> wait;  // RFC 7240 `Prefer: wait`
  const Reporter* reporter = nullptr;
  tracing::TracePtr trace;  // null: not traced; for the calls it makes, too

  std::string_view parameter(std::string_view name) const;  // empty where there is none
  // Any thread. `refusal`: why the gateway answers for itself, for the log ("bad-cursor"); it outlives the call.
  void answer(server::Response response, std::string_view refusal = {}) const;
  void finished(int status, std::string_view refusal = {}) const;  // counts and logs; 499: the client left
};

class OwnPaths {
 public:
  // On the connection's worker, inside on_request: the place to set `reply.on_hang_up`.
  using Handler = std::function<void(std::shared_ptr<OwnRequest>)>;

  explicit OwnPaths(const policies::Catalogue& paths) : paths_(paths), handlers_(paths.operations().size()) {}

  // Throws std::logic_error where the catalogue has no such name: a programming error.
  void handle(std::string_view name, Handler handler);

  policies::MatchResult match(std::string_view method, std::string_view path) const;
  // Null for an operation of upstream's.
  const Handler* handler_of(const policies::Operation& operation) const;

 private:
  const policies::Catalogue& paths_;
  std::vector<Handler> handlers_;  // by position in paths_
};

}  // namespace gateway::exchange
