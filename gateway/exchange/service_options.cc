#include "gateway/exchange/service_options.h"

#include <algorithm>

#include "policies/passthrough.h"

namespace gateway::exchange {

using policies::coherence::Timing;

Timing timing_of(const config::Settings& settings) {
  Timing timing;
  timing.upstream = settings.upstream.timeout;
  return timing;
}

upstream::Options upstream_options(const config::Settings& settings) {
  upstream::Options options;
  options.base_url = settings.upstream.url;
  options.timeout = settings.upstream.timeout;
  options.connect_timeout = std::min(settings.upstream.connect_timeout, settings.upstream.timeout);
  options.connections = settings.upstream.connections;
  options.ca_file = settings.upstream.ca_file;
  return options;
}

std::vector<policies::Times> times_of(const config::Settings& settings, const policies::Catalogue& catalogue) {
  std::vector<policies::Times> times;
  for (const auto& operation : catalogue.operations()) {
    auto own = operation.times;
    if (const auto found = settings.cache.operations.find(operation.name); found != settings.cache.operations.end()) {
      const auto& given = found->second;
      own.fresh = given.fresh.value_or(own.fresh);
      own.stale_while_revalidate = given.stale_while_revalidate.value_or(own.stale_while_revalidate);
      own.stale_if_error = given.stale_if_error.value_or(own.stale_if_error);
      own.settle = given.settle.value_or(own.settle);
    }
    times.push_back(own);
  }
  times.resize(policies::passthrough_index() + 1u);
  times.back() = policies::passthrough_match("GET", "/")->operation->times;
  return times;
}

std::chrono::milliseconds deadline_of(const config::Settings& settings) {
  return settings.rate_limit.max_wait + settings.upstream.timeout;
}

limiter::Options limiter_options(const config::Settings& settings, const access::ClientNames& names) {
  limiter::Options options;
  options.limit = {settings.rate_limit.requests, settings.rate_limit.interval};
  options.daily = settings.rate_limit.daily;
  options.daily_reserve = settings.rate_limit.daily_reserve;
  options.max_wait = settings.rate_limit.max_wait;
  options.queue = settings.rate_limit.queue;
  options.upstream_timeout = settings.upstream.timeout;
  options.backoff.most = std::min<policies::Duration>(options.backoff.most, settings.rate_limit.interval);
  options.client_rates.resize(names.count() + 1, 0);
  for (std::size_t number = 1; number <= names.count(); ++number)
    for (const auto& client : settings.clients)
      if (client.name == names.name(static_cast<std::uint16_t>(number)))
        options.client_rates[number] = client.rate.value_or(0);
  return options;
}

}  // namespace gateway::exchange
