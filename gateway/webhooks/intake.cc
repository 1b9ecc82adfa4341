#include "gateway/webhooks/intake.h"

#include <openssl/evp.h>

#include <array>
#include <asio/co_spawn.hpp>

#include "gateway/clock.h"
#include "gateway/log/failure.h"
#include "gateway/server/problem.h"
#include "policies/surrogate_keys.h"

namespace gateway::webhooks {

namespace {

constexpr std::size_t kLongestId = 256;

struct Row {
  Result result;
  int status;
  std::string_view label, error, title, detail;
};
constexpr Row kRows[] = {
    {Result::Accepted, 200, "accepted", "", "", ""},
    {Result::Unknown, 200, "unknown", "", "", ""},
    {Result::WrongMethod, 405, "webhook-method", "http_request_error", "Webhooks are sent by POST", "Use POST."},
    {Result::Oversized, 413, "webhook-oversized", "http_request_error", "The webhook is too large",
     "At most 1 MiB is taken."},
    {Result::Unsigned, 401, "webhook-unsigned", "http_request_denied", "The webhook is not signed",
     "Expected x-ghl-signature, or x-wh-signature where a legacy key is configured."},
    {Result::Forged, 401, "webhook-forged", "http_request_denied", "The webhook's signature is wrong",
     "No configured key has signed this body."},
    {Result::Malformed, 400, "webhook-malformed", "http_request_error", "The webhook cannot be read", ""},
    {Result::Stale, 403, "webhook-stale", "http_request_denied", "The webhook is not of now",
     "Its timestamp is further from this clock than webhooks.max_age."},
    {Result::Repeated, 409, "webhook-repeated", "http_request_denied", "The webhook was taken before",
     "Its webhookId is known; nothing was done again."},
    {Result::Unavailable, 503, "webhook-unavailable", "", "The webhook cannot be taken now",
     "Redis is away, or something that must take it is: send it again."},
};
consteval bool in_order() {
  for (std::size_t i = 0; i < std::size(kRows); ++i)
    if (static_cast<std::size_t>(kRows[i].result) != i) return false;
  return true;
}
static_assert(in_order(), "kRows is indexed by Result");

const Row& row_of(Result result) { return kRows[static_cast<std::size_t>(result)]; }

// What stands in for a missing or overlong webhookId: the same body is the same event.
std::string digest_of(std::string_view body) {
  std::array<unsigned char, 32> bytes{};
  EVP_Digest(body.data(), body.size(), bytes.data(), nullptr, EVP_sha256(), nullptr);
  std::string text = "sha256:";
  for (const auto byte : bytes) text.append({"0123456789abcdef"[byte >> 4], "0123456789abcdef"[byte & 15]});
  return text;
}

}  // namespace

std::string_view to_string(Result result) {
  auto label = row_of(result).label;
  constexpr std::string_view kPrefix = "webhook-";  // the problem's type says whose it is, the metric has a name
  if (label.starts_with(kPrefix)) label.remove_prefix(kPrefix.size());
  return label;
}

void Intake::receive(const std::shared_ptr<const PublicKeys>& keys, std::chrono::milliseconds max_age,
                     const server::RequestView& view, server::Reply reply, std::string request_id) {
  auto delivery = std::make_shared<Delivery>(Delivery{std::move(reply),
                                                      std::move(request_id),
                                                      std::string(view.method),
                                                      std::chrono::steady_clock::now(),
                                                      {},
                                                      nullptr,
                                                      {}});
  if (view.method != "POST") return answer(*delivery, Result::WrongMethod);
  if (view.body.size() > kLargestBody) return answer(*delivery, Result::Oversized);
  const auto signature = keys->check(view.fields, view.body);
  if (signature != Signature::Valid)
    return answer(*delivery, signature == Signature::Missing ? Result::Unsigned : Result::Forged);

  auto read = policies::read_webhook_event(view.body);
  if (const auto* problem = std::get_if<policies::EventProblem>(&read))
    return answer(*delivery, Result::Malformed, policies::to_string(*problem));
  auto& event = std::get<policies::WebhookEvent>(read);
  delivery->trigger = parts_.triggers.find(event.type);
  if (!policies::timely(event, wall_now(), max_age)) return answer(*delivery, Result::Stale);

  if (event.id.empty() || event.id.size() > kLongestId) event.id = digest_of(view.body);
  delivery->received = std::make_shared<const Received>(Received{std::move(event), std::string(view.body)});
  delivery->memory = policies::replay_memory(max_age);
  asio::co_spawn(parts_.io, take(delivery), [this, delivery](const std::exception_ptr& error, Result result) {
    log::failure("webhook_failed", error);
    answer(*delivery, error ? Result::Unavailable : result);
  });
}

asio::awaitable<Result> Intake::take(std::shared_ptr<Delivery> delivery) {
  const std::string& id = delivery->received->event.id;
  const auto before = co_await seen_.look(id);
  if (before == SeenIds::Seen::Before) co_return Result::Repeated;
  if (delivery->trigger != nullptr && !co_await invalidate(*delivery->trigger, delivery)) co_return Result::Unavailable;
  for (const auto& listener : listeners_)
    if (!co_await listener(delivery->received)) co_return Result::Unavailable;
  switch (co_await seen_.take(id, delivery->memory)) {
    case SeenIds::Seen::Before:
      co_return Result::Repeated;  // delivered twice at the same time
    case SeenIds::Seen::Unknown:
      co_return Result::Unavailable;
    case SeenIds::Seen::New:
      break;
  }
  co_return delivery->trigger == nullptr ? Result::Unknown : Result::Accepted;
}

// False: some replica may not have dropped it yet. Where Redis is away, the invalidation is repeated when it is back.
asio::awaitable<bool> Intake::invalidate(const policies::Trigger& trigger, std::shared_ptr<Delivery> delivery) {
  std::vector<cache::Writes::Key> keys;
  for (auto& name : policies::keys_of_event(trigger, delivery->received->body)) {
    const auto settle = policies::is_collection(name) ? trigger.settle : std::chrono::milliseconds{0};
    keys.push_back({std::move(name), settle});
  }
  if (keys.empty()) co_return true;
  auto ticket = co_await parts_.writes.begin(std::move(keys));
  if (!ticket) co_return false;
  co_await parts_.writes.finish(ticket, cache::Writes::Outcome::Answered, {});
  parts_.metrics.invalidation("webhook");
  co_return ticket->fenced;
}

void Intake::answer(const Delivery& delivery, Result result, std::string_view detail) const {
  const Row& row = row_of(result);
  server::Response response;
  if (row.status == 200) {
    response.fields.add("Content-Type", "application/json");
    response.body = std::make_shared<const std::string>("{\"received\":true}\n");
  } else {
    response = server::to_response(
        {row.status, row.error, row.label, row.title, std::string(detail.empty() ? row.detail : detail)});
  }
  if (result == Result::WrongMethod) response.fields.add("Allow", "POST");
  if (result == Result::Unsigned || result == Result::Forged)
    response.fields.add("WWW-Authenticate", "Signature realm=\"contacts-gateway\"");
  if (result == Result::Unavailable) response.fields.add("Retry-After", "1");
  response.fields.add("X-Request-Id", delivery.request_id);
  delivery.reply.send(std::move(response));
  // Until the signature holds, nothing that the sender wrote becomes a label.
  parts_.metrics.webhook(delivery.trigger != nullptr ? std::string_view(delivery.trigger->name) : "unknown",
                         to_string(result));
  exchange::Finished finished;
  finished.method = delivery.method;
  finished.status = row.status;
  finished.id = delivery.request_id;
  finished.refusal = row.status == 200 ? std::string_view() : row.label;
  finished.started = delivery.started;
  parts_.reporter.finished(finished);
}

}  // namespace gateway::webhooks
