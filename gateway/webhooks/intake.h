// `POST /webhooks/leadconnector`: the upstream tells of changes. The order, and why:
//   1. size, signature over the raw body, timestamp (the connection's worker): what is forged or stale costs no more;
//   2. an id that was taken before is refused and changes nothing;
//   3. what the event makes stale is dropped everywhere, as for a write: every replica has acknowledged;
//   4. the listeners take it, one after another, and have made lasting what must not be lost;
//   5. the id is taken. A crash before this point leaves it free, and the sender's next attempt does 3 and 4 again;
//   6. 200. With Redis away, or where a listener cannot take it now, it is 503 with Retry-After instead.
#pragma once

#include <asio/awaitable.hpp>
#include <asio/io_context.hpp>
#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "gateway/cache/writes.h"
#include "gateway/exchange/report.h"
#include "gateway/metrics/metrics.h"
#include "gateway/server/reply.h"
#include "gateway/server/request.h"
#include "gateway/webhooks/public_keys.h"
#include "gateway/webhooks/seen_ids.h"
#include "policies/triggers.h"
#include "policies/webhook_event.h"

namespace gateway::webhooks {

inline constexpr std::string_view kPath = "/webhooks/leadconnector";
inline constexpr std::size_t kLargestBody = 1 << 20;

// What became of a webhook: the problem's type, the metric's label and the log's field at once.
enum class Result {
  Accepted,
  Unknown,  // signed, of a type that no table has: taken, and nothing is dropped
  WrongMethod,
  Oversized,
  Unsigned,
  Forged,
  Malformed,
  Stale,
  Repeated,
  Unavailable,
};
std::string_view to_string(Result result);

// A webhook whose signature and time are right: what listeners are given.
struct Received {
  policies::WebhookEvent event;
  std::string body;  // as it was signed
};

struct IntakeParts {
  asio::io_context& io;
  cache::Writes& writes;
  redis::Client* redis;  // null: none
  metrics::Metrics& metrics;
  const exchange::Reporter& reporter;
  const policies::Triggers& triggers;
};

// Outlives every coroutine it starts.
class Intake {
 public:
  explicit Intake(IntakeParts parts) : parts_(parts), seen_(parts.redis) {}

  // Called on the Asio thread for every event that is new, of unknown types too, after what it makes stale is dropped.
  // False, or an exception: it cannot be taken now, and the sender tries again, so that the same event may come twice.
  using Listener = std::function<asio::awaitable<bool>(std::shared_ptr<const Received>)>;
  void add(Listener listener) { listeners_.push_back(std::move(listener)); }  // before the first request

  // On the connection's worker, inside on_request.
  void receive(const std::shared_ptr<const PublicKeys>& keys, std::chrono::milliseconds max_age,
               const server::RequestView& view, server::Reply reply, std::string request_id);

 private:
  struct Delivery {
    server::Reply reply;
    std::string request_id;
    std::string method;
    std::chrono::steady_clock::time_point started;
    std::shared_ptr<const Received> received;
    const policies::Trigger* trigger = nullptr;  // null: not known
    std::chrono::milliseconds memory{0};
  };
  asio::awaitable<Result> take(std::shared_ptr<Delivery> delivery);
  asio::awaitable<bool> invalidate(const policies::Trigger& trigger, std::shared_ptr<Delivery> delivery);
  void answer(const Delivery& delivery, Result result, std::string_view detail = {}) const;

  IntakeParts parts_;
  SeenIds seen_;
  std::vector<Listener> listeners_;
};

}  // namespace gateway::webhooks
