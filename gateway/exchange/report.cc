#include "gateway/exchange/report.h"

#include "gateway/log/log.h"

namespace gateway::exchange {

Reporter::Reporter(metrics::Metrics& metrics, const access::ClientNames& names, const config::Settings& settings)
    : metrics_(metrics), names_(names) {
  reload(settings);
}

void Reporter::reload(const config::Settings& settings) {
  log_all_.store(settings.log.requests == "all", std::memory_order_relaxed);
  log_errors_.store(settings.log.requests != "off", std::memory_order_relaxed);
}

void Reporter::invalidated(std::string_view cause) const { metrics_.invalidation(cause); }

void Reporter::finished(const Finished& request) const {
  const auto duration = std::chrono::steady_clock::now() - request.started;
  const auto operation = request.operation ? request.operation->index : metrics::kOther;
  const bool asks_cache = !request.operation || !request.operation->own;
  metrics_.request(
      {operation, request.method, request.status, request.client, request.result, request.tier, asks_cache, duration});
  if (request.result == metrics::CacheResult::Hit || request.result == metrics::CacheResult::Stale ||
      request.result == metrics::CacheResult::Coalesced)
    metrics_.upstream_saved();

  if (!log_all_.load(std::memory_order_relaxed) &&
      !(log_errors_.load(std::memory_order_relaxed) && request.status >= 400))
    return;
  log::write(request.status >= 500 ? log::Level::Warn : log::Level::Info, "request",
             {{"id", request.id},
              {"method", request.method},
              {"operation", request.operation ? std::string_view(request.operation->name) : std::string_view("other")},
              {"status", std::int64_t{request.status}},
              {"client", names_.name(request.client)},
              {"location", request.location},
              {"cache", to_string(request.result)},
              {"tier", to_string(request.tier)},
              {"refusal", request.refusal},
              {"waited_ms", std::int64_t{request.waited.count()}},
              {"duration_us", std::int64_t{std::chrono::duration_cast<std::chrono::microseconds>(duration).count()}}});
}

}  // namespace gateway::exchange
