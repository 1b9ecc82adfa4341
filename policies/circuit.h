// The circuit breaker of one upstream host and location: opens on failures in a row or on a failure rate, stays open
// for a time that doubles while probes fail, then lets one probe through at a time. A failure is no answer at all, or
// 502, 503, 504; a 429 is the limiter's business and counts as neither. State machine without a clock or randomness;
// owned by one thread. Every admitted request reports exactly one outcome.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>
#include <variant>

#include "policies/instant.h"

namespace policies {

enum class CircuitState : std::uint8_t { Closed, Open, HalfOpen };
std::string_view to_string(CircuitState state);

enum class CircuitOutcome : std::uint8_t { Success, Failure, Neither };  // Neither: cancelled, 429, never sent

class Circuit {
 public:
  struct Options {
    std::uint32_t consecutive = 5;  // failures in a row that open it
    double rate = 0.5;              // or this share of the requests in `window`
    std::uint32_t least = 20;       // ... once there are so many
    Duration window{10'000'000};
    Duration open_first{1'000'000};  // how long it stays open, doubled by each failed probe
    Duration open_most{30'000'000};
    Duration probe_limit{60'000'000};  // a probe whose outcome never came is given up after this
  };
  explicit Circuit(Options options) : options_(options) {}

  struct Admitted {
    bool probe = false;  // to be handed back with its outcome
  };
  struct Refused {
    Duration retry_after{0};
  };
  std::variant<Admitted, Refused> admit(Instant now);
  std::optional<Refused> refusal(Instant now) const;  // what admit() would say now, without admitting
  void report(Admitted request, CircuitOutcome outcome, Instant now);

  CircuitState state(Instant now) const;
  bool idle(Instant now) const;  // holds nothing worth keeping

 private:
  static constexpr std::size_t kBuckets = 10;
  struct Bucket {
    std::int64_t slice = -1;
    std::uint32_t requests = 0, failures = 0;
  };

  void open(Instant now);
  void close();
  Bucket& bucket(Instant now);
  bool rate_exceeded(Instant now) const;
  std::int64_t slice(Instant now) const { return now / (options_.window / kBuckets); }

  Options options_;
  std::array<Bucket, kBuckets> buckets_{};
  std::uint32_t in_a_row_ = 0;
  bool closed_ = true;
  Instant open_until_{0};
  Duration open_for_{0};
  Instant probe_until_ = Instant::min();  // a probe is under way until then
};

}  // namespace policies
