#include "gateway/exchange/attempts.h"

#include <algorithm>
#include <array>
#include <asio/bind_cancellation_slot.hpp>
#include <asio/co_spawn.hpp>
#include <asio/steady_timer.hpp>
#include <asio/system_error.hpp>
#include <asio/use_awaitable.hpp>

#include "gateway/cache/fence.h"
#include "gateway/clock.h"
#include "gateway/fault_point.h"
#include "gateway/idempotency/claims.h"
#include "gateway/random.h"
#include "policies/credentials.h"
#include "policies/doubt.h"
#include "policies/rate_headers.h"

namespace gateway::exchange {

using std::chrono::milliseconds;

namespace {
// A token may be refused, and the one after it too, when it was revoked twice or ended on the way.
constexpr int kMostRenewals = 2;

// Every try that the circuit admitted reports one outcome to it; a cancelled one reports one that does not count.
class Admission {
 public:
  Admission(std::shared_ptr<policies::Circuit> circuit, policies::Circuit::Admitted admitted)
      : circuit_(std::move(circuit)), admitted_(admitted) {}
  Admission(const Admission&) = delete;
  Admission& operator=(const Admission&) = delete;
  ~Admission() { circuit_->report(admitted_, outcome, now()); }
  static policies::Instant now() {
    return std::chrono::duration_cast<policies::Instant>(std::chrono::steady_clock::now().time_since_epoch());
  }
  bool probe() const { return admitted_.probe; }
  policies::CircuitOutcome outcome = policies::CircuitOutcome::Neither;

 private:
  std::shared_ptr<policies::Circuit> circuit_;
  policies::Circuit::Admitted admitted_;
};

std::chrono::milliseconds to_milliseconds(policies::Duration duration) {
  return std::chrono::ceil<std::chrono::milliseconds>(duration);
}

Refused held_back_by(const policies::Circuit::Refused& circuit) {
  return {Refusal::CircuitOpen, {}, to_milliseconds(circuit.retry_after)};
}

std::optional<Refused> admit(const std::shared_ptr<policies::Circuit>& circuit, std::optional<Admission>& admission) {
  const auto admitted = circuit->admit(Admission::now());
  if (const auto* open = std::get_if<policies::Circuit::Refused>(&admitted)) return held_back_by(*open);
  admission.emplace(circuit, std::get<policies::Circuit::Admitted>(admitted));
  return std::nullopt;
}

Refusal refusal_of(limiter::RefusalReason reason) {
  switch (reason) {
    case limiter::RefusalReason::QueueFull:
      return Refusal::QueueFull;
    case limiter::RefusalReason::WaitTooLong:
      return Refusal::WaitTooLong;
    case limiter::RefusalReason::Deadline:
      return Refusal::WaitTooLong;
    case limiter::RefusalReason::DailyQuota:
      return Refusal::DailyQuota;
    case limiter::RefusalReason::ClientRate:
      return Refusal::ClientRate;
  }
  return Refusal::Internal;
}

std::variant<policies::TransportFailure, int> failed_try(const upstream::Outcome& outcome) {
  if (const auto* answer = std::get_if<upstream::Response>(&outcome.result)) return answer->status;
  using policies::TransportFailure;
  using upstream::Failure;
  switch (std::get<upstream::Failed>(outcome.result).failure) {
    case Failure::Resolve:
      return TransportFailure::Resolve;
    case Failure::Connect:
      return TransportFailure::Connect;
    case Failure::ConnectTimeout:
      return TransportFailure::ConnectTimeout;
    case Failure::Tls:
    case Failure::Certificate:
      return TransportFailure::Tls;
    case Failure::Timeout:
      return TransportFailure::Timeout;
    case Failure::Reset:
      return TransportFailure::Reset;
    case Failure::TooLarge:
      return TransportFailure::TooLarge;
    case Failure::Protocol:
    case Failure::Unsendable:
      return TransportFailure::Protocol;
  }
  return TransportFailure::Protocol;
}

bool worth_a_retry(const upstream::Outcome& outcome) {
  if (const auto* failed = std::get_if<upstream::Failed>(&outcome.result))
    return failed->failure != upstream::Failure::Unsendable;
  const int status = std::get<upstream::Response>(outcome.result).status;
  return status == 429 || (status >= 502 && status <= 504);
}

// Whether it ends when its client leaves, though it is a write: as long as nothing of it was sent.
bool may_leave(const Request& request) {
  return request.operation->kind == policies::Kind::Write && request.reply && !request.sent;
}

}  // namespace

void Attempts::set_times(milliseconds deadline, milliseconds token_wait, milliseconds interval) {
  const policies::Circuit::Options usual;
  parts_.deadline = deadline;
  parts_.token_wait = token_wait;
  parts_.circuit.open_most = std::min<policies::Duration>(usual.open_most, interval);
  parts_.circuit.open_first = std::min(usual.open_first, parts_.circuit.open_most);
}

void Attempts::beat() { standstills_.beat(cache::boottime()); }

// That there is no answer says something about the upstream only if this process ran for most of the time. One that was
// stopped finds every time limit passed when it goes on, and connections that the upstream has given up.
policies::CircuitOutcome Attempts::circuit_outcome(const upstream::Outcome& outcome, policies::Instant began) const {
  using policies::CircuitOutcome;
  if (const auto* answer = std::get_if<upstream::Response>(&outcome.result)) {
    if (answer->status == 429) return CircuitOutcome::Neither;
    return answer->status >= 502 && answer->status <= 504 ? CircuitOutcome::Failure : CircuitOutcome::Success;
  }
  if (std::get<upstream::Failed>(outcome.result).failure == upstream::Failure::Unsendable)
    return CircuitOutcome::Neither;
  const policies::Instant now = cache::boottime();
  const auto stood_still = standstills_.within(began, now);
  return stood_still > policies::Duration(0) && 2 * stood_still >= now - began ? CircuitOutcome::Neither
                                                                               : CircuitOutcome::Failure;
}

std::shared_ptr<policies::Circuit> Attempts::circuit_of(const std::string& budget) {
  constexpr std::size_t kMost = 1'000;
  if (circuits_.size() > kMost)
    std::erase_if(circuits_,
                  [](const auto& item) { return item.second.use_count() == 1 && item.second->idle(Admission::now()); });
  auto& circuit = circuits_[budget];
  if (!circuit) circuit = std::make_shared<policies::Circuit>(parts_.circuit);
  return circuit;
}

asio::awaitable<Attempted> Attempts::run(std::shared_ptr<const Request> request, policies::Fields validators) {
  Attempted attempted;
  int renewals = 0;
  for (;;) {
    auto outcome = co_await one_try(request, validators, attempted);
    if (!outcome) co_return attempted;  // refused before it was sent
    if (renewals < kMostRenewals && co_await renewed(request, *outcome, attempted.access)) {
      ++renewals;  // a 401 was not applied: any method may go again
      parts_.metrics.upstream_retry("token-refused");
      continue;
    }
    const auto decision =
        worth_a_retry(*outcome) ? plan(*request, attempted, *outcome) : policies::RetryDecision(policies::GiveUp{});
    const auto* again = std::get_if<policies::RetryAfter>(&decision);
    if (again == nullptr) {
      if (auto* failed = std::get_if<upstream::Failed>(&outcome->result))
        attempted.result = Refused{refusal_of(failed->failure), {}, {}};
      else
        attempted.result = std::move(std::get<upstream::Response>(outcome->result));
      co_return attempted;
    }
    if (request->claim && !attempted.in_doubt) co_await request->claim->not_applied();
    parts_.metrics.upstream_retry(to_string(again->reason));
    asio::steady_timer pause(parts_.io, again->delay);
    co_await pause.async_wait(asio::use_awaitable);
  }
}

std::chrono::steady_clock::time_point Attempts::token_deadline(const Request& request) const {
  return std::chrono::steady_clock::now() + std::min(request.wait.value_or(parts_.token_wait), parts_.token_wait);
}

// False: there is none, `attempted` says why.
asio::awaitable<bool> Attempts::get_access(std::shared_ptr<const Request> request, Attempted& attempted) {
  auto got = co_await parts_.credentials.acquire(request->location, token_deadline(*request));
  if (auto* access = std::get_if<credentials::AccessPtr>(&got)) {
    attempted.access = std::move(*access);
    co_return true;
  }
  auto& none = std::get<credentials::NoAccess>(got);
  switch (none.reason) {
    case credentials::NoAccess::Reason::None:
      attempted.result = Refused{Refusal::NoCredentials, std::move(none.detail), {}};
      break;
    case credentials::NoAccess::Reason::Dead:
      attempted.result = Refused{Refusal::CredentialDead, std::move(none.detail), {}};
      break;
    case credentials::NoAccess::Reason::Unavailable:
      attempted.result = Refused{Refusal::CredentialUnavailable, std::move(none.detail), std::chrono::seconds(1)};
      break;
  }
  co_return false;
}

// True: the upstream refused the token, and another one is there (or was waited for), so the request may go again.
asio::awaitable<bool> Attempts::renewed(std::shared_ptr<const Request> request, const upstream::Outcome& outcome,
                                        credentials::AccessPtr access) {
  const auto* answer = std::get_if<upstream::Response>(&outcome.result);
  if (answer == nullptr) co_return false;
  if (answer->status != 401) {
    access->accepted = true;
    co_return false;
  }
  if (!policies::means_token_refused(answer->status, answer->body)) co_return false;
  co_return co_await parts_.credentials.refused(request->location, std::move(access), token_deadline(*request));
}

// A write's own coroutine must not be cancelled (writes.h): the wait has one of its own.
template <typename Result>
asio::awaitable<Result> Attempts::before_sending(std::shared_ptr<const Request> request, asio::awaitable<Result> wait) {
  if (!may_leave(*request)) co_return co_await std::move(wait);
  std::optional<Result> result;
  const auto own = [&result](asio::awaitable<Result> what) -> asio::awaitable<void> {
    result.emplace(co_await std::move(what));
  };
  if (request->left) throw asio::system_error(asio::error::operation_aborted);
  co_await asio::co_spawn(parts_.io, own(std::move(wait)),
                          asio::bind_cancellation_slot(request->cancel.slot(), asio::use_awaitable));
  request->cancel.slot().clear();
  co_return std::move(*result);
}

std::optional<Refused> Attempts::sure_refusal(const Request& request) {
  auto budget = parts_.credentials.budget(request.location);
  if (const auto refused = circuit_of(budget)->refusal(Admission::now())) return held_back_by(*refused);
  const auto refused = parts_.limiter.refusal(permit_request(request, std::move(budget), false));
  return refused ? std::optional(refused_by(*refused)) : std::nullopt;
}

asio::awaitable<std::optional<upstream::Outcome>> Attempts::one_try(std::shared_ptr<const Request> request,
                                                                    policies::Fields validators, Attempted& attempted) {
  attempted.access = parts_.credentials.held(request->location);
  if (!attempted.access && !co_await before_sending(request, get_access(request, attempted))) co_return std::nullopt;
  const std::string budget = parts_.credentials.budget(request->location);
  const auto refuse = [&attempted](Refused why) {
    attempted.result = std::move(why);
    return std::nullopt;
  };
  auto circuit = circuit_of(budget);
  std::optional<Admission> admission;
  if (auto open = admit(circuit, admission)) co_return refuse(std::move(*open));

  auto permit_or_refusal = co_await before_sending(request, wait_for_permit(request, budget, attempted.tries > 0));
  // The limiter answers a cancelled wait with a refusal, but nobody is left to be refused.
  if (may_leave(*request) && request->left) {
    if (auto* permit = std::get_if<limiter::Permit>(&permit_or_refusal)) permit->unsent();
    throw asio::system_error(asio::error::operation_aborted);
  }
  if (const auto* refusal = std::get_if<limiter::Refusal>(&permit_or_refusal)) co_return refuse(refused_by(*refusal));
  auto& permit = std::get<limiter::Permit>(permit_or_refusal);
  parts_.metrics.rate_limit_wait(request->urgency, permit.waited());
  attempted.waited += std::chrono::duration_cast<milliseconds>(permit.waited());
  const bool opened = !admission->probe() && circuit->state(Admission::now()) != policies::CircuitState::Closed;
  auto refused = opened ? admit(circuit, admission) : std::nullopt;
  if (!refused && (request->claim || request->may_send)) refused = co_await last_refusal(request);
  if (refused) {
    permit.unsent();
    co_return refuse(std::move(*refused));
  }

  if (++attempted.tries == 1) budget_.on_request();
  // The wait may have outlived the token.
  if (auto current = parts_.credentials.held(request->location)) attempted.access = std::move(current);
  const policies::Instant began = cache::boottime();
  auto outcome = co_await send(request, attempted.access, validators, attempted.tries);
  admission->outcome = circuit_outcome(outcome, began);
  if (!account(*request, budget, outcome, attempted)) permit.unsent();
  co_return outcome;
}

Refused Attempts::refused_by(const limiter::Refusal& limit) {
  parts_.metrics.rate_limit_rejection(to_string(limit.reason));
  return {refusal_of(limit.reason), {}, to_milliseconds(limit.retry_after)};
}

asio::awaitable<std::optional<Refused>> Attempts::last_refusal(std::shared_ptr<const Request> request) {
  if (request->claim) {
    if (!co_await request->claim->about_to_send())
      co_return Refused{Refusal::IdempotencyUnavailable, {}, std::chrono::seconds(1)};
    fault_point("keyed-post-marked");
  }
  // Asked last, since the steps before it may have taken a while.
  if (!request->may_send || request->may_send()) co_return std::nullopt;
  if (request->claim) co_await request->claim->not_applied();
  co_return Refused{Refusal::Internal, "Whoever made this request may no longer send it.", {}};
}

bool Attempts::account(const Request& request, const std::string& budget, const upstream::Outcome& outcome,
                       Attempted& attempted) {
  const auto* answer = std::get_if<upstream::Response>(&outcome.result);
  parts_.metrics.upstream_request(request.operation->index, answer ? answer->status : 0, outcome.total);
  if (answer != nullptr) parts_.limiter.observe(budget, answer->status, answer->fields);
  const bool reached =
      answer != nullptr || !upstream::surely_not_applied(std::get<upstream::Failed>(outcome.result).failure);
  attempted.sent |= reached;
  attempted.unknown |= reached && answer == nullptr;
  attempted.in_doubt = reached && (answer == nullptr || answer->status >= 500);
  return reached;
}

limiter::PermitRequest Attempts::permit_request(const Request& request, std::string budget, bool retry) {
  return {std::move(budget), request.client, request.urgency, request.wait.value_or(milliseconds(-1)),
          request.flight,    retry,          nullptr};
}

std::shared_ptr<limiter::Ahead> Attempts::ask_ahead(const Request& request) {
  if (!parts_.credentials.held(request.location)) return nullptr;
  auto budget = parts_.credentials.budget(request.location);
  if (circuit_of(budget)->state(Admission::now()) != policies::CircuitState::Closed) return nullptr;
  return parts_.limiter.ask_ahead(permit_request(request, std::move(budget), false));
}

asio::awaitable<limiter::PermitOrRefusal> Attempts::wait_for_permit(std::shared_ptr<const Request> request,
                                                                    std::string budget, bool retry) {
  tracing::Scope span(request->trace, "queue", tracing::Kind::Internal);
  span.set("gateway.urgency", request->urgency);
  auto asked = permit_request(*request, std::move(budget), retry);
  asked.ahead = std::exchange(request->ahead, nullptr);
  auto result = co_await parts_.limiter.acquire(std::move(asked));
  if (const auto* refused = std::get_if<limiter::Refusal>(&result)) {
    span.set("error.type", to_string(refused->reason));
    span.fail();
  }
  co_return result;
}

policies::RetryDecision Attempts::plan(const Request& request, const Attempted& attempted,
                                       const upstream::Outcome& outcome) {
  policies::FailedTry failed;
  failed.outcome = failed_try(outcome);
  if (const auto* answer = std::get_if<upstream::Response>(&outcome.result)) {
    if (const auto after = answer->fields.find("Retry-After"))
      failed.retry_after =
          policies::parse_retry_after(*after, std::chrono::duration_cast<std::chrono::seconds>(wall_now()));
    failed.interval = policies::parse_stated_limits(answer->fields, wall_now()).interval;
  }
  failed.idempotent = request.operation->idempotent;
  failed.has_key =
      request.claim &&
      policies::harmless_twice(*request.operation, request.body ? std::string_view(*request.body) : std::string_view());
  failed.attempt = attempted.tries;
  failed.now = Admission::now();
  failed.deadline = std::chrono::duration_cast<policies::Instant>(deadline_of(request).time_since_epoch());
  failed.jitter = random_unit();
  return policies::plan_retry(parts_.retry, budget_, failed);
}

bool Attempts::may_repeat(const Request& request) {
  if (std::chrono::steady_clock::now() >= deadline_of(request) || !budget_.take()) return false;
  parts_.metrics.upstream_retry("not-applied");
  return true;
}

void Attempts::improve(const Request& request, int urgency, std::optional<milliseconds> wait) {
  parts_.limiter.improve(parts_.credentials.budget(request.location), request.flight, urgency,
                         wait.value_or(milliseconds(-1)));
}

limiter::Budget Attempts::budget(const std::string& location) const {
  return parts_.limiter.budget(parts_.credentials.budget(location));
}

std::vector<CircuitState> Attempts::circuits() const {
  std::vector<CircuitState> states;
  for (const auto& [location, circuit] : circuits_)
    states.push_back({location, circuit->state(Admission::now()) != policies::CircuitState::Closed});
  return states;
}

}  // namespace gateway::exchange
