// POSTs with an Idempotency-Key: the key is claimed before the write begins, told before anything is sent, told the
// answer as soon as there is one, and settled when the write has ended (policies/idempotency.h).
#include "gateway/exchange/exchange.h"
#include "gateway/fault_point.h"
#include "policies/doubt.h"
#include "policies/idempotency.h"

namespace gateway::exchange {

namespace {

// Two clients' equal keys are two keys; so are the gateway's own.
std::string scope_of(const Request& request, const access::ClientNames& names) {
  if (!request.reply) return "gateway";
  return "client:" + std::string(names.name(request.client));
}

std::optional<std::string> key_of(const Request& request) {
  std::optional<std::string> key;
  for (const auto& field : request.fields) {
    if (!policies::same_name(field.name, "Idempotency-Key")) continue;
    if (key) return std::nullopt;
    key = policies::parse_idempotency_key(field.value);
    if (!key) return std::nullopt;
  }
  return key;
}

idempotency::Answer kept_form(const upstream::Response& response) {
  idempotency::Answer answer;
  answer.status = response.status;
  answer.fields = response.fields;
  answer.body = response.body;
  return answer;
}

upstream::Response upstream_form(idempotency::Answer kept) {
  upstream::Response response;
  response.status = kept.status;
  response.fields = std::move(kept.fields);
  response.body = std::move(kept.body);
  return response;
}
}  // namespace

asio::awaitable<Exchange::Answer> Exchange::keyed_write(RequestPtr request) {
  auto key = key_of(*request);
  if (!key) co_return refused({Refusal::IdempotencyMalformed, {}, {}});
  auto deadline = parts_.attempts.deadline_of(*request);
  if (request->wait) deadline = std::min(deadline, std::chrono::steady_clock::now() + *request->wait);
  idempotency::Named named{std::move(*key),   scope_of(*request, parts_.client_names),
                           request->method,   request->target,
                           request->location, request->version,
                           request->body};
  auto claimed = co_await parts_.claims.claim(std::move(named), deadline);
  if (auto* kept = std::get_if<idempotency::Answer>(&claimed)) co_return replayed(std::move(*kept));
  if (std::holds_alternative<idempotency::Mismatch>(claimed)) co_return refused({Refusal::IdempotencyMismatch, {}, {}});
  if (std::holds_alternative<idempotency::InProgress>(claimed))
    co_return refused({Refusal::IdempotencyInProgress, {}, std::chrono::seconds(1)});
  if (std::holds_alternative<idempotency::Unavailable>(claimed))
    co_return refused({Refusal::IdempotencyUnavailable, {}, std::chrono::seconds(1)});
  request->claim = std::get<std::shared_ptr<idempotency::Held>>(std::move(claimed));
  const bool harmless = policies::harmless_twice(*request->operation,
                                                 request->body ? std::string_view(*request->body) : std::string_view());
  if (request->claim->doubtful() && !harmless && !duplicate_search(*request)) {
    co_await request->claim->conclude();
    co_return refused({Refusal::IdempotencyInDoubt, {}, {}});
  }
  co_return co_await fenced_write(request);
}

asio::awaitable<Attempted> Exchange::keyed_attempts(RequestPtr request) {
  auto& claim = *request->claim;
  Attempted attempted;
  if (claim.learned()) {  // of an owner that died before the write had ended
    attempted.result = upstream_form(*claim.learned());
    attempted.sent = true;
    co_return attempted;
  }
  attempted = co_await certain_attempts(request);
  fault_point("keyed-post-answered");
  const auto* response = std::get_if<upstream::Response>(&attempted.result);
  if (response != nullptr && policies::judge_idempotent_answer(response->status) == policies::IdempotencyVerdict::Keep)
    co_await claim.learn(kept_form(*response));
  else if (!attempted.in_doubt)
    co_await claim.not_applied();
  fault_point("keyed-post-learned");
  co_return attempted;
}

// Tries until the outcome is known, as far as the upstream can be asked for it. Only what it shows not to have been
// applied is sent again.
asio::awaitable<Attempted> Exchange::certain_attempts(RequestPtr request) {
  using Clock = std::chrono::steady_clock;
  constexpr int kMostRepeats = 2;
  auto& claim = *request->claim;
  const bool findable = duplicate_search(*request).has_value();
  bool owner_died = claim.doubtful() && findable;
  auto sent_at = Clock::now() - claim.since_sent();
  Attempted attempted;
  if (owner_died) {
    attempted.result = Refused{Refusal::IdempotencyInDoubt, {}, {}};
    attempted.sent = attempted.unknown = attempted.in_doubt = true;
  } else {
    attempted = co_await parts_.attempts.run(request, {});
  }
  for (int repeats = 0; attempted.in_doubt && findable; ++repeats) {
    auto settled = co_await settle_doubt(request, sent_at, owner_died);
    if (settled.what == Settled::What::Open) {
      if (auto* refused = std::get_if<Refused>(&attempted.result)) refused->retry_after = settled.retry_after;
      break;
    }
    attempted.in_doubt = false;
    if (settled.what == Settled::What::Found) {
      attempted.result = std::move(settled.response);
      break;
    }
    co_await claim.not_applied();
    if (!owner_died && (repeats == kMostRepeats || !parts_.attempts.may_repeat(*request))) break;
    owner_died = false;
    sent_at = Clock::now();
    auto next = co_await parts_.attempts.run(request, {});
    next.unknown |= attempted.unknown;
    next.sent |= attempted.sent;
    next.waited += attempted.waited;
    attempted = std::move(next);
  }
  co_return attempted;
}

Exchange::Answer Exchange::replayed(idempotency::Answer kept) {
  Attempted attempted;
  attempted.result = upstream_form(std::move(kept));
  auto answer = passed_on(std::move(attempted));
  answer.response.fields.add("Idempotency-Replayed", "true");
  answer.status.detail = "idempotency-replay";
  return answer;
}

}  // namespace gateway::exchange
