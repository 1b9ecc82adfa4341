#include "policies/circuit.h"

#include <algorithm>

namespace policies {

std::string_view to_string(CircuitState state) {
  switch (state) {
    case CircuitState::Closed:
      return "closed";
    case CircuitState::Open:
      return "open";
    case CircuitState::HalfOpen:
      return "half-open";
  }
  return "unknown";
}

CircuitState Circuit::state(Instant now) const {
  if (closed_) return CircuitState::Closed;
  return now < open_until_ ? CircuitState::Open : CircuitState::HalfOpen;
}

bool Circuit::idle(Instant now) const {
  return closed_ && in_a_row_ == 0 && std::all_of(buckets_.begin(), buckets_.end(), [&](const Bucket& each) {
           return each.slice < 0 || slice(now) - each.slice >= static_cast<std::int64_t>(kBuckets);
         });
}

std::variant<Circuit::Admitted, Circuit::Refused> Circuit::admit(Instant now) {
  if (const auto refused = refusal(now)) return *refused;
  if (closed_) return Admitted{};
  probe_until_ = now + options_.probe_limit;
  return Admitted{true};
}

std::optional<Circuit::Refused> Circuit::refusal(Instant now) const {
  switch (state(now)) {
    case CircuitState::Closed:
      return std::nullopt;
    case CircuitState::Open:
      return Refused{open_until_ - now};
    case CircuitState::HalfOpen:
      break;
  }
  if (now < probe_until_) return Refused{std::min(open_for_, probe_until_ - now)};
  return std::nullopt;
}

void Circuit::open(Instant now) {
  open_for_ = closed_ ? options_.open_first : std::min(options_.open_most, 2 * open_for_);
  open_until_ = now + open_for_;
  closed_ = false;
  probe_until_ = Instant::min();
}

void Circuit::close() {
  closed_ = true;
  in_a_row_ = 0;
  buckets_ = {};
  probe_until_ = Instant::min();
}

Circuit::Bucket& Circuit::bucket(Instant now) {
  auto& current = buckets_[static_cast<std::size_t>(slice(now)) % kBuckets];
  if (current.slice != slice(now)) current = {slice(now), 0, 0};
  return current;
}

bool Circuit::rate_exceeded(Instant now) const {
  std::uint32_t requests = 0, failures = 0;
  for (const auto& each : buckets_) {
    if (each.slice < 0 || slice(now) - each.slice >= static_cast<std::int64_t>(kBuckets)) continue;
    requests += each.requests;
    failures += each.failures;
  }
  return requests >= options_.least && failures >= options_.rate * requests;
}

void Circuit::report(Admitted request, CircuitOutcome outcome, Instant now) {
  if (!closed_) {
    // Requests from before it opened say nothing new; the probe decides.
    if (!request.probe) return;
    if (outcome == CircuitOutcome::Success)
      close();
    else if (outcome == CircuitOutcome::Failure)
      open(now);
    else
      probe_until_ = Instant::min();
    return;
  }
  if (outcome == CircuitOutcome::Neither) return;
  auto& counted = bucket(now);
  ++counted.requests;
  if (outcome == CircuitOutcome::Success) {
    in_a_row_ = 0;
    return;
  }
  ++counted.failures;
  if (++in_a_row_ >= options_.consecutive || rate_exceeded(now)) open(now);
}

}  // namespace policies
