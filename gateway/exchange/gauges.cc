#include "gateway/exchange/gauges.h"

#include <chrono>

namespace gateway::exchange {

namespace {

using Values = std::vector<metrics::Metrics::LabelledValue>;
using Read = std::function<State()>;

// One number, and how it is had of the state.
struct Plain {
  const char* name;
  std::uint64_t State::*value;
};
constexpr Plain kPlain[] = {
    {"gateway_cache_bytes", &State::memory_bytes},
    {"gateway_cache_entries", &State::memory_entries},
    {"gateway_cache_evictions_total", &State::evictions},
    {"gateway_memory_limit_bytes", &State::memory_limit},
    {"gateway_memory_refusals_total", &State::memory_refusals},
};

void add_budgets(metrics::Metrics& metrics, const Read& state) {
  metrics.gauges("gateway_rate_limit_queue_depth", "", {"location"}, [state] {
    Values values;
    for (const auto& each : state().locations) values.push_back({{each.location}, static_cast<double>(each.queue)});
    return values;
  });
  metrics.gauges("gateway_rate_limit_remaining", "", {"location", "window"}, [state] {
    Values values;
    for (const auto& each : state().locations) {
      values.push_back({{each.location, "interval"}, static_cast<double>(each.budget.remaining)});
      values.push_back({{each.location, "day"}, static_cast<double>(each.budget.daily_remaining)});
    }
    return values;
  });
  metrics.gauges("gateway_rate_limit_reset_timestamp_seconds", "", {"location", "window"}, [state] {
    const auto now = std::chrono::duration<double>(std::chrono::system_clock::now().time_since_epoch()).count();
    Values values;
    for (const auto& each : state().locations)
      if (each.budget.daily_limit > 0)
        values.push_back(
            {{each.location, "day"}, now + std::chrono::duration<double>(each.budget.until_new_day).count()});
    return values;
  });
}

}  // namespace

void add_gauges(metrics::Metrics& metrics, std::function<State()> state) {
  for (const Plain& each : kPlain)
    metrics.gauge(each.name, "", [state, value = each.value] { return static_cast<double>(state().*value); });
  add_budgets(metrics, state);
  metrics.gauges("gateway_upstream_circuit_open", "", {"location"}, [state] {
    Values values;
    for (const auto& each : state().circuits) values.push_back({{each.location}, each.open ? 1.0 : 0.0});
    return values;
  });
  metrics.gauges("gateway_trace_spans_total", "", {"result"}, [state] {
    const auto spans = state().spans;
    return Values{{{"sent"}, static_cast<double>(spans.sent)},
                  {{"dropped"}, static_cast<double>(spans.dropped)},
                  {{"failed"}, static_cast<double>(spans.failed)}};
  });
  metrics.gauge("gateway_memory_refusing", "", [state] { return state().over_memory ? 1.0 : 0.0; });
  // Without a redis.url there is none to be away, and an alert on 0 would never end.
  if (state().redis_up) metrics.gauge("gateway_redis_up", "", [state] { return *state().redis_up ? 1.0 : 0.0; });
}

}  // namespace gateway::exchange
