#include "gateway/serve_parts.h"

#include <algorithm>
#include <cstdint>
#include <ctime>
#include <thread>

#include "gateway/admin/operations.h"
#include "gateway/lifecycle/edge_tls.h"
#include "gateway/log/log.h"
#include "policies/catalogue.h"
#include "policies/triggers.h"

namespace gateway {

std::vector<std::string> operation_names() {
  std::vector<std::string> names;
  for (const auto* catalogue : {&policies::Catalogue::builtin(), &policies::Catalogue::own()})
    for (const auto& operation : catalogue->operations()) names.push_back(operation.name);
  return names;
}

std::vector<std::string> client_names(const config::Settings& settings) {
  std::vector<std::string> names;
  for (const auto& client : settings.clients) names.push_back(client.name);
  return names;
}

void add_admin_routes(admin::Admin& admin, metrics::Metrics& metrics) {
  admin.add({"GET", "/metrics", true, [&metrics](const server::RequestView&, server::Reply reply) {
               reply.send(admin::answer(200, "text/plain; version=0.0.4; charset=utf-8", metrics.scrape()));
             }});
  admin.add({"GET", "/operations", false, [](const server::RequestView&, server::Reply reply) {
               reply.send(
                   admin::answer(200, "application/json",
                                 admin::operations_json(policies::Catalogue::builtin(), policies::Catalogue::own(),
                                                        policies::Triggers::builtin())));
             }});
}

server::Options public_options(const config::Settings& settings) {
  const std::size_t cores = std::max(1u, std::thread::hardware_concurrency());
  server::Options options;
  options.name = "contacts-gateway";
  options.addresses = {settings.listen};
  options.threads = settings.server.threads ? settings.server.threads : cores;
  options.tls = lifecycle::make_edge_tls(settings.server.tls);
  options.on_handshake_failed = [](std::string_view why) { log::debug("tls_handshake_failed", {{"why", why}}); };
  return options;
}

server::Options admin_options(const config::Settings& settings) {
  server::Limits limits;
  limits.connections = 256;
  limits.body_bytes = 1024 * 1024;
  limits.unsent_bytes = 256 * 1024;  // of the status page's events: a reader so far behind skips some
  return {.name = "contacts-gateway-admin", .addresses = {settings.admin.listen}, .threads = 1, .limits = limits};
}

void add_handshake_counts(metrics::Metrics& metrics, const server::Server& server) {
  metrics.gauges("gateway_tls_handshakes_total", "TLS handshakes with clients, by result.", {"result"}, [&server] {
    std::vector<metrics::Metrics::LabelledValue> values;
    for (std::size_t i = 0; i < server::kHandshakeResults; ++i) {
      const auto result = static_cast<server::HandshakeResult>(i);
      values.push_back({{std::string(to_string(result))}, static_cast<double>(server.handshakes(result))});
    }
    return values;
  });
}

void add_reload_counts(metrics::Metrics& metrics, const lifecycle::Reload& reload) {
  metrics.gauges("gateway_settings_reloads_total", "Reloads of settings, secrets and certificates, by result.",
                 {"result"}, [&reload] {
                   return std::vector<metrics::Metrics::LabelledValue>{
                       {{"applied"}, static_cast<double>(reload.applied())},
                       {{"refused"}, static_cast<double>(reload.refused())}};
                 });
}

void tell_certificate(const server::TlsContext& tls) {
  const bool valid = tls.valid_at(std::time(nullptr));
  log::write(valid ? log::Level::Info : log::Level::Warn, valid ? "tls_certificate" : "tls_certificate_not_valid_now",
             {{"not_after", std::int64_t{tls.not_after()}}});
}

void tell_addresses(std::string_view name, const server::Server& server) {
  for (const std::string& address : server.addresses())
    log::info("listening", {{"name", name}, {"address", std::string_view(address)}});
}

std::chrono::milliseconds rest_after_predecessor(const config::Settings& settings) {
  std::chrono::milliseconds rest{0};
  for (const auto& operation : policies::Catalogue::builtin().operations())
    rest = std::max<std::chrono::milliseconds>(rest, operation.times.settle);
  for (const auto& [name, times] : settings.cache.operations) rest = std::max(rest, times.settle.value_or(rest));
  return rest;
}

}  // namespace gateway
