#include "gateway/exchange/report.h"

#include "gateway/log/log.h"

namespace gateway::exchange {

Reporter::Reporter(metrics::Metrics& metrics, std::shared_ptr<const config::Settings> settings)
    : metrics_(metrics),
      settings_(std::move(settings)),
      log_all_(settings_->log.requests == "all"),
      log_errors_(settings_->log.requests != "off") {}

void Reporter::invalidated(std::string_view cause) const { metrics_.invalidation(cause); }

void Reporter::finished(const Finished& request) const {
  const auto duration = std::chrono::steady_clock::now() - request.started;
  const auto operation = request.operation ? request.operation->index : metrics::kOther;
  metrics_.request({operation, request.method, request.status, request.client, request.result, request.tier, duration});
  if (request.result == metrics::CacheResult::Hit || request.result == metrics::CacheResult::Stale ||
      request.result == metrics::CacheResult::Coalesced)
    metrics_.upstream_saved();

  if (!log_all_ && !(log_errors_ && request.status >= 400)) return;
  const std::string_view client =
      request.client == 0 ? std::string_view("") : std::string_view(settings_->clients[request.client - 1u].name);
  log::write(request.status >= 500 ? log::Level::Warn : log::Level::Info, "request",
             {{"id", request.id},
              {"method", request.method},
              {"operation", request.operation ? std::string_view(request.operation->name) : std::string_view("other")},
              {"status", std::int64_t{request.status}},
              {"client", client},
              {"location", request.location},
              {"cache", to_string(request.result)},
              {"tier", to_string(request.tier)},
              {"refusal", request.refusal},
              {"waited_ms", std::int64_t{request.waited.count()}},
              {"duration_us", std::int64_t{std::chrono::duration_cast<std::chrono::microseconds>(duration).count()}}});
}

}  // namespace gateway::exchange
