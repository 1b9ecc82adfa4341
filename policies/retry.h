// Whether a failed try at the upstream is made again, and when (never over the budget, never after the
// client's deadline, a POST only where it surely was not applied). Exponential backoff with full jitter; `Retry-After`
// (RFC 9110 section 10.2.3) is a floor under it.
// plan_retry() is a pure function but for the budget it draws on; the random number is the caller's. One thread.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <variant>

#include "policies/instant.h"

namespace policies {

// Why there is no answer: mirrors gateway::upstream::Failure (policies may not name the gateway's types).
enum class TransportFailure : std::uint8_t {
  Resolve,
  Connect,
  ConnectTimeout,
  Tls,
  Timeout,
  Reset,
  Protocol,
  TooLarge
};

enum class RetryReason : std::uint8_t { NotSent, Timeout, Reset, RateLimited, Unavailable };
std::string_view to_string(RetryReason reason);

enum class GiveUpReason : std::uint8_t {
  Final,         // an answer, or a failure that would come again
  MaybeApplied,  // the method is not idempotent and the upstream may have acted
  Attempts,
  Budget,
  Deadline,
};
std::string_view to_string(GiveUpReason reason);

struct RetryAfter {
  Duration delay{0};
  RetryReason reason = RetryReason::NotSent;
};
struct GiveUp {
  GiveUpReason reason = GiveUpReason::Final;
};
using RetryDecision = std::variant<RetryAfter, GiveUp>;

// Retries as a share of requests: each request pays in `ratio`, each retry takes 1. `reserve` is there from the start
// and is also the most that is saved up, so over any run of n requests there are at most reserve + ratio * n retries.
class RetryBudget {
 public:
  struct Options {
    double ratio = 0.2;
    double reserve = 10;  // lets a gateway with little traffic retry at all
  };
  explicit RetryBudget(Options options) : options_(options), tokens_(options.ratio > 0 ? options.reserve : 0) {}

  void on_request();  // once for each request, not for its retries
  bool take();
  double tokens() const { return tokens_; }

 private:
  Options options_;
  double tokens_;
};

struct RetryOptions {
  int attempts = 4;           // tries altogether
  Duration base{100'000};     // the first backoff's upper bound, doubled each time
  Duration most{10'000'000};  // upper bound of any backoff; Retry-After may be longer
};

struct FailedTry {
  std::variant<TransportFailure, int> outcome = 0;  // or the answer's status
  std::optional<Duration> retry_after;              // from the answer, parse_retry_after()
  std::optional<Duration> interval;  // a 429's X-RateLimit-Interval-Milliseconds: the wait where it has no Retry-After
  bool idempotent = false;           // the operation's method
  bool has_key = false;              // it carries an Idempotency-Key
  int attempt = 1;                   // tries made so far
  Instant now{0};
  Instant deadline = kNever;  // the client's
  double jitter = 0;          // uniform in [0, 1)
};

// A token is taken from the budget only with RetryAfter.
RetryDecision plan_retry(const RetryOptions& options, RetryBudget& budget, const FailedTry& failed);

// A field that is wrong must not close a location for good.
inline constexpr Duration kLongestPause = std::chrono::hours(1);

// How long a location pauses after its `consecutive`-th 429 in a row (1: the first): Retry-After, else the interval,
// kLongestPause of either at most, since the probe after it hears whether there is more to wait for; else backoff.
Duration pause_after_429(const RetryOptions& options, std::optional<Duration> retry_after,
                         std::optional<Duration> interval, int consecutive, double jitter);

// Retry-After as seconds or HTTP date. `now`: since 1970 UTC. A date gone by is zero; nonsense is nothing; a year is
// the most.
std::optional<Duration> parse_retry_after(std::string_view value, std::chrono::seconds now);

}  // namespace policies
