#include "policies/retry.h"

#include <algorithm>
#include <charconv>

#include "policies/http_date.h"

namespace policies {

namespace {

constexpr std::chrono::seconds kLongestRetryAfter{365 * 24 * 3600};

Duration backoff(const RetryOptions& options, int attempt, double jitter) {
  auto bound = std::min(options.base, options.most);
  for (int i = 1; i < attempt && bound < options.most; ++i) bound = std::min(options.most, 2 * bound);
  return Duration(static_cast<Duration::rep>(jitter * static_cast<double>(bound.count())));
}

struct Verdict {
  RetryReason reason;
  bool maybe_applied;
};

std::optional<Verdict> judge(TransportFailure failure) {
  switch (failure) {
    case TransportFailure::Resolve:
    case TransportFailure::Connect:
    case TransportFailure::ConnectTimeout:
      return Verdict{RetryReason::NotSent, false};
    case TransportFailure::Timeout:
      return Verdict{RetryReason::Timeout, true};
    case TransportFailure::Reset:
    case TransportFailure::Protocol:
      return Verdict{RetryReason::Reset, true};
    case TransportFailure::Tls:
    case TransportFailure::TooLarge:
      break;  // the same again
  }
  return std::nullopt;
}

std::optional<Verdict> judge(int status) {
  if (status == 429) return Verdict{RetryReason::RateLimited, false};
  if (status == 502 || status == 503 || status == 504) return Verdict{RetryReason::Unavailable, true};
  return std::nullopt;
}

}  // namespace

std::string_view to_string(RetryReason reason) {
  switch (reason) {
    case RetryReason::NotSent:
      return "not-sent";
    case RetryReason::Timeout:
      return "timeout";
    case RetryReason::Reset:
      return "reset";
    case RetryReason::RateLimited:
      return "rate-limited";
    case RetryReason::Unavailable:
      return "unavailable";
  }
  return "unknown";
}

std::string_view to_string(GiveUpReason reason) {
  switch (reason) {
    case GiveUpReason::Final:
      return "final";
    case GiveUpReason::MaybeApplied:
      return "maybe-applied";
    case GiveUpReason::Attempts:
      return "attempts";
    case GiveUpReason::Budget:
      return "budget";
    case GiveUpReason::Deadline:
      return "deadline";
  }
  return "unknown";
}

void RetryBudget::on_request() { tokens_ = std::min(std::max(options_.reserve, 1.0), tokens_ + options_.ratio); }

bool RetryBudget::take() {
  constexpr double kRounding = 1e-9;  // five payments of 0.2 are one token
  if (tokens_ < 1 - kRounding) return false;
  tokens_ = std::max(0.0, tokens_ - 1);
  return true;
}

RetryDecision plan_retry(const RetryOptions& options, RetryBudget& budget, const FailedTry& failed) {
  const auto verdict = std::visit([](auto outcome) { return judge(outcome); }, failed.outcome);
  if (!verdict) return GiveUp{GiveUpReason::Final};
  if (verdict->maybe_applied && !failed.idempotent && !failed.has_key) return GiveUp{GiveUpReason::MaybeApplied};
  if (failed.attempt >= options.attempts) return GiveUp{GiveUpReason::Attempts};
  auto delay = backoff(options, failed.attempt, failed.jitter);
  if (verdict->reason == RetryReason::RateLimited)
    delay = pause_after_429(options, failed.retry_after, failed.interval, failed.attempt, failed.jitter);
  else if (failed.retry_after)
    delay = std::max(delay, *failed.retry_after);
  if (delay >= failed.deadline - failed.now) return GiveUp{GiveUpReason::Deadline};
  if (!budget.take()) return GiveUp{GiveUpReason::Budget};
  return RetryAfter{delay, verdict->reason};
}

Duration pause_after_429(const RetryOptions& options, std::optional<Duration> retry_after,
                         std::optional<Duration> interval, int consecutive, double jitter) {
  if (const auto asked = retry_after ? retry_after : interval) return std::min(*asked, kLongestPause);
  return backoff(options, consecutive, jitter);
}

std::optional<Duration> parse_retry_after(std::string_view value, std::chrono::seconds now) {
  while (!value.empty() && (value.front() == ' ' || value.front() == '\t')) value.remove_prefix(1);
  while (!value.empty() && (value.back() == ' ' || value.back() == '\t')) value.remove_suffix(1);
  if (value.empty()) return std::nullopt;
  if (std::all_of(value.begin(), value.end(), [](char c) { return c >= '0' && c <= '9'; })) {
    std::int64_t seconds = kLongestRetryAfter.count();
    std::from_chars(value.data(), value.data() + value.size(), seconds);  // out of range: the longest
    return std::chrono::seconds(std::min<std::int64_t>(seconds, kLongestRetryAfter.count()));
  }
  const auto date = parse_http_date(value, now);
  if (!date) return std::nullopt;
  return std::clamp<std::chrono::seconds>(*date - now, std::chrono::seconds{0}, kLongestRetryAfter);
}

}  // namespace policies
