// The way to the upstream and back: credentials -> circuit -> a permit from the limiter -> the try itself -> another
// one where that is safe and within the budget, or once with a new token where the upstream refused the old one. Asio
// thread only. Cancellation at any point leaves the queue or drops the transfer and gives the permit back.
#pragma once

#include <asio/awaitable.hpp>
#include <asio/io_context.hpp>
#include <chrono>
#include <map>
#include <memory>
#include <variant>

#include "gateway/credentials/credentials.h"
#include "gateway/exchange/refusal.h"
#include "gateway/exchange/request.h"
#include "gateway/exchange/state.h"
#include "gateway/limiter/limiter.h"
#include "gateway/metrics/metrics.h"
#include "gateway/upstream/client.h"
#include "policies/circuit.h"
#include "policies/retry.h"
#include "policies/standstills.h"

namespace gateway::exchange {

struct Refused {
  Refusal refusal = Refusal::Internal;
  std::string detail;
  std::optional<std::chrono::milliseconds> retry_after;
};

struct Attempted {
  std::variant<upstream::Response, Refused> result;
  bool sent = false;      // some try may have reached upstream
  bool unknown = false;   // one that did has no answer: it may still be applied
  bool in_doubt = false;  // the last one that was sent may have been applied, and no answer says so
  int tries = 0;
  std::chrono::milliseconds waited{0};  // for permits
  credentials::AccessPtr access;        // of the last try
};

struct AttemptsParts {
  asio::io_context& io;
  upstream::Client& client;
  limiter::Limiter& limiter;
  const credentials::Credentials& credentials;
  metrics::Metrics& metrics;
  policies::RetryOptions retry;
  policies::RetryBudget::Options budget;
  policies::Circuit::Options circuit;
  std::chrono::milliseconds deadline{60'000};    // from a request's arrival; no try begins after it
  std::chrono::milliseconds token_wait{30'000};  // for a token that is being renewed
};

class Attempts {
 public:
  explicit Attempts(AttemptsParts parts) : parts_(std::move(parts)), budget_(parts_.budget) {}

  // `validators`: fields that make the request conditional; empty: unconditional.
  asio::awaitable<Attempted> run(std::shared_ptr<const Request> request, policies::Fields validators);

  // A request whose tries are over turned out not to have been applied: whether it may be made once more.
  bool may_repeat(const Request& request);

  // Asks for the permit that a request will very likely need in a moment; null where that is not to be had for sure.
  std::shared_ptr<limiter::Ahead> ask_ahead(const Request& request);

  // Somebody with a better urgency waits for the same answer.
  void improve(const Request& request, int urgency, std::optional<std::chrono::milliseconds> wait);

  // What run() would surely refuse `request` with, without any of its waits: the circuit is open, its wait
  // for a permit cannot be met, the day is used up.
  std::optional<Refused> sure_refusal(const Request& request);

  // No try of this request begins after it: its client's `Prefer: wait` where there is one.
  std::chrono::steady_clock::time_point deadline_of(const Request& request) const {
    return request.started + std::min(request.wait.value_or(parts_.deadline), parts_.deadline);
  }
  // Asio thread. `interval`: of the rate limit; no circuit stays open for longer without a probe.
  void set_times(std::chrono::milliseconds deadline, std::chrono::milliseconds token_wait,
                 std::chrono::milliseconds interval);

  // Whose budget a request spends, and what is left of it.
  limiter::Budget budget_of(const Request& request) const { return budget(request.location); }
  limiter::Budget budget(const std::string& location) const;

  std::vector<CircuitState> circuits() const;

  static constexpr std::chrono::milliseconds kBeat{250};
  void beat();  // Asio thread, every kBeat: where it was not, tries that were under way are not held against upstream

 private:
  // Nothing: refused, and `attempted` says why. Else what came of the try.
  asio::awaitable<std::optional<upstream::Outcome>> one_try(std::shared_ptr<const Request> request,
                                                            policies::Fields validators, Attempted& attempted);
  // What comes before a try's sending. A write's client may leave during it, as long as nothing was sent: then it
  // throws operation_aborted.
  template <typename Result>
  asio::awaitable<Result> before_sending(std::shared_ptr<const Request> request, asio::awaitable<Result> wait);
  asio::awaitable<bool> get_access(std::shared_ptr<const Request> request, Attempted& attempted);
  Refused refused_by(const limiter::Refusal& limit);
  // Of a request with an Idempotency-Key or of the gateway's own, right before it is sent: why it may not be.
  asio::awaitable<std::optional<Refused>> last_refusal(std::shared_ptr<const Request> request);
  // Counts a try and tells the limiter. False: it surely did not reach the upstream.
  bool account(const Request& request, const std::string& budget, const upstream::Outcome& outcome,
               Attempted& attempted);
  asio::awaitable<bool> renewed(std::shared_ptr<const Request> request, const upstream::Outcome& outcome,
                                credentials::AccessPtr access);
  std::chrono::steady_clock::time_point token_deadline(const Request& request) const;
  static limiter::PermitRequest permit_request(const Request& request, std::string budget, bool retry);
  asio::awaitable<limiter::PermitOrRefusal> wait_for_permit(std::shared_ptr<const Request> request, std::string budget,
                                                            bool retry);
  asio::awaitable<upstream::Outcome> send(std::shared_ptr<const Request> request, credentials::AccessPtr access,
                                          policies::Fields validators, int attempt);
  policies::RetryDecision plan(const Request& request, const Attempted& attempted, const upstream::Outcome& outcome);
  std::shared_ptr<policies::Circuit> circuit_of(const std::string& budget);
  policies::CircuitOutcome circuit_outcome(const upstream::Outcome& outcome, policies::Instant began) const;

  AttemptsParts parts_;
  policies::RetryBudget budget_;
  policies::Standstills standstills_{kBeat};
  // By the budget's location; idle ones are dropped.
  std::map<std::string, std::shared_ptr<policies::Circuit>> circuits_;
};

}  // namespace gateway::exchange
