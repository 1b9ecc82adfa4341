#include "gateway/exchange/report.h"

#include <algorithm>
#include <array>
#include <span>

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

  if (request.trace != nullptr) trace(request);
  if (log_all_.load(std::memory_order_relaxed) ||
      (log_errors_.load(std::memory_order_relaxed) && request.status >= 400))
    log(request, duration);
}

void Reporter::log(const Finished& request, std::chrono::steady_clock::duration duration) const {
  const std::string trace = request.trace ? policies::hex(request.trace->context().trace) : std::string();
  const log::Item items[] = {
      {"id", request.id},
      {"method", request.method},
      {"operation", log::Word{request.operation ? std::string_view(request.operation->name) : "other"}},
      {"status", std::int64_t{request.status}},
      {"client", names_.name(request.client)},
      {"location", request.location},
      {"cache", log::Word{to_string(request.result)}},
      {"tier", log::Word{to_string(request.tier)}},
      {"refusal", log::Word{request.refusal}},
      {"waited_ms", std::int64_t{request.waited.count()}},
      {"duration_us", std::int64_t{std::chrono::duration_cast<std::chrono::microseconds>(duration).count()}},
      {"trace", std::string_view(trace)}};
  const std::span all(items);
  log::write(request.status >= 500 ? log::Level::Warn : log::Level::Info, "request",
             request.trace ? all : all.first(all.size() - 1));
}

// By OpenTelemetry's names where it has some (semantic conventions for HTTP servers); the rest are ours.
void Reporter::trace(const Finished& request) const {
  constexpr std::array<std::string_view, 9> kKnown = {"GET",    "HEAD",    "POST",    "PUT",  "PATCH",
                                                      "DELETE", "OPTIONS", "CONNECT", "TRACE"};
  const bool known = std::find(kKnown.begin(), kKnown.end(), request.method) != kKnown.end();
  std::vector<tracing::Attribute> attributes{
      {"http.request.method", std::string(known ? request.method : "_OTHER")},
      {"http.response.status_code", std::int64_t{request.status}},
      {"gateway.operation", request.operation ? request.operation->name : std::string("other")},
      {"gateway.client", std::string(names_.name(request.client))},
      {"gateway.cache.result", std::string(to_string(request.result))},
      {"gateway.cache.tier", std::string(to_string(request.tier))},
  };
  if (request.operation && !request.operation->path.empty())
    attributes.push_back({"http.route", request.operation->path});
  if (!request.location.empty()) attributes.push_back({"gateway.location", std::string(request.location)});
  if (!request.refusal.empty()) attributes.push_back({"error.type", std::string(request.refusal)});
  if (request.waited.count() > 0) attributes.push_back({"gateway.waited_ms", std::int64_t{request.waited.count()}});
  request.trace->finish(request.started, std::move(attributes), request.status >= 500);
}

}  // namespace gateway::exchange
