// `POST /webhooks/leadconnector`: the upstream tells of changes. The order, and why:
//   1. size, signature over the raw body, timestamp (the connection's worker): what is forged or stale costs no more;
//   2. an id that was taken before is refused and changes nothing;
//   3. what the event makes stale is dropped everywhere, as for a write: every replica has acknowledged;
//   4. the id is taken. A crash before this point leaves it free, and the sender's next attempt does 3 again;
//   5. 200. With Redis away it is 503 with Retry-After instead, since 3 and 4 are not known to last.
#pragma once

#include <asio/awaitable.hpp>
#include <asio/io_context.hpp>
#include <chrono>
#include <memory>
#include <string>
#include <string_view>

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

  // On the connection's worker, inside on_request.
  void receive(const std::shared_ptr<const PublicKeys>& keys, std::chrono::milliseconds max_age,
               const server::RequestView& view, server::Reply reply, std::string request_id);

 private:
  struct Delivery {
    server::Reply reply;
    std::string request_id;
    std::string method;
    std::chrono::steady_clock::time_point started;
    std::string body;
    policies::WebhookEvent event;
    const policies::Trigger* trigger = nullptr;  // null: not known
    std::chrono::milliseconds memory{0};
  };
  asio::awaitable<Result> take(std::shared_ptr<Delivery> delivery);
  asio::awaitable<bool> invalidate(const policies::Trigger& trigger, std::shared_ptr<Delivery> delivery);
  void answer(const Delivery& delivery, Result result, std::string_view detail = {}) const;

  IntakeParts parts_;
  SeenIds seen_;
};

}  // namespace gateway::webhooks
