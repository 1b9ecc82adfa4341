#include "policies/flows/outcome.h"

#include <algorithm>
#include <iterator>

namespace policies::flows {

namespace {

// Problem types of gateway/exchange/refusal.cc.
constexpr std::string_view kNotSentForNow[] = {"queue-full",
                                               "wait-too-long",
                                               "daily-quota",
                                               "client-rate",
                                               "circuit-open",
                                               "writes-not-fenced",
                                               "idempotency-in-progress",
                                               "idempotency-unavailable"};
constexpr std::string_view kNotSent[] = {"upstream-unresolved",  "upstream-refused",         "upstream-tls",
                                         "upstream-certificate", "upstream-connect-timeout", "no-credentials",
                                         "credential-dead",      "only-if-cached",           "loop-detected",
                                         "memory-limit",         "record-not-looked-up"};
constexpr std::string_view kSentPerhaps[] = {"upstream-timeout",   "upstream-reset",       "upstream-protocol",
                                             "upstream-too-large", "idempotency-in-doubt", "internal"};

template <std::size_t N>
bool among(const std::string_view (&names)[N], std::string_view name) {
  return std::find(std::begin(names), std::end(names), name) != std::end(names);
}

Verdict judge_refusal(const StepAnswer& answer) {
  if (among(kNotSentForNow, answer.refusal)) return Verdict::Wait;
  if (among(kNotSent, answer.refusal)) return Verdict::Again;
  if (among(kSentPerhaps, answer.refusal)) return Verdict::Doubt;
  // A refusal that these lists do not know: where its status says "later", it is tried again.
  return answer.status == 409 || answer.status == 429 || answer.status >= 500 ? Verdict::Again : Verdict::Dead;
}

Verdict judge_answer(int status) {
  if (status == 429) return Verdict::Wait;
  if (status == 401 || status == 408 || status == 425) return Verdict::Again;
  return status >= 500 ? Verdict::Doubt : Verdict::Dead;
}

}  // namespace

std::string_view to_string(Verdict verdict) {
  switch (verdict) {
    case Verdict::Done:
      return "done";
    case Verdict::Wait:
      return "wait";
    case Verdict::Again:
      return "again";
    case Verdict::Doubt:
      return "doubt";
    case Verdict::Dead:
      return "dead";
  }
  return "unknown";
}

Verdict judge(const StepAnswer& answer, const std::vector<int>& accepted) {
  if (!answer.refusal.empty()) return judge_refusal(answer);
  if (answer.status >= 200 && answer.status < 300) return Verdict::Done;
  if (std::find(accepted.begin(), accepted.end(), answer.status) != accepted.end()) return Verdict::Done;
  return judge_answer(answer.status);
}

std::chrono::milliseconds backoff(int attempt, double jitter) {
  constexpr std::chrono::milliseconds kFirst{1'000}, kMost{600'000};
  const auto bound = std::min(kMost, kFirst * (std::int64_t{1} << std::clamp(attempt - 1, 0, 20)));
  return std::chrono::milliseconds(static_cast<std::int64_t>(static_cast<double>(bound.count()) * (0.5 + jitter / 2)));
}

}  // namespace policies::flows
