#include "gateway/serve.h"

#include <sys/prctl.h>
#include <sys/resource.h>

#include <algorithm>
#include <atomic>
#include <exception>
#include <thread>

#include "gateway/admin/admin.h"
#include "gateway/admin/operations.h"
#include "gateway/config/address.h"
#include "gateway/exchange/service.h"
#include "gateway/lifecycle/edge_tls.h"
#include "gateway/lifecycle/file_watch.h"
#include "gateway/lifecycle/reload.h"
#include "gateway/lifecycle/signals.h"
#include "gateway/log/log.h"
#include "gateway/metrics/metrics.h"
#include "gateway/server/server.h"
#include "policies/catalogue.h"

namespace gateway {

namespace {

constexpr std::chrono::seconds kDrain{30};
constexpr std::chrono::seconds kAdminDrain{1};

void disable_core_dumps() {
  const rlimit none{0, 0};
  ::setrlimit(RLIMIT_CORE, &none);
  ::prctl(PR_SET_DUMPABLE, 0);
}

std::vector<std::string> operation_names() {
  std::vector<std::string> names;
  for (const auto& operation : policies::Catalogue::builtin().operations()) names.push_back(operation.name);
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
                   admin::answer(200, "application/json", admin::operations_json(policies::Catalogue::builtin())));
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
  return {.name = "contacts-gateway-admin", .addresses = {settings.admin.listen}, .threads = 1, .limits = limits};
}

// The limits of connections need more descriptors than the usual soft limit of 1024: it is raised to what
// the system allows.
void raise_descriptor_limit() {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur == limit.rlim_max) return;
  limit.rlim_cur = limit.rlim_max;
  ::setrlimit(RLIMIT_NOFILE, &limit);
}

// An expired certificate is served all the same: a gateway that does not start would help its clients less.
void tell_certificate(const server::TlsContext& tls) {
  const bool valid = tls.valid_at(std::time(nullptr));
  log::write(valid ? log::Level::Info : log::Level::Warn, valid ? "tls_certificate" : "tls_certificate_not_valid_now",
             {{"not_after", std::int64_t{tls.not_after()}}});
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

void tell_addresses(std::string_view name, const server::Server& server) {
  for (const std::string& address : server.addresses())
    log::info("listening", {{"name", name}, {"address", std::string_view(address)}});
}

void add_reload_counts(metrics::Metrics& metrics, const lifecycle::Reload& reload) {
  metrics.gauges("gateway_settings_reloads_total", "Reloads of settings, secrets and certificates, by result.",
                 {"result"}, [&reload] {
                   return std::vector<metrics::Metrics::LabelledValue>{
                       {{"applied"}, static_cast<double>(reload.applied())},
                       {{"refused"}, static_cast<double>(reload.refused())}};
                 });
}

// Files are often written in more than one step; what happens within this time is one change.
constexpr std::chrono::milliseconds kSettle{100};

// Until a signal asks for the end: answers which.
int stay(const lifecycle::Signals& signals, lifecycle::Reload& reload) {
  lifecycle::FileWatch watch;
  watch.set(reload.files());
  reload.files_changed({});  // what changed between the start's reading and the watch
  for (;;) {
    int signal = signals.wait(watch.fd(), lifecycle::FileWatch::kLookEvery);
    if (signal == 0) signal = signals.wait(-1, kSettle);
    if (signal == SIGTERM || signal == SIGINT) return signal;
    if (signal == SIGHUP) reload.settings_file();
    if (const auto changed = watch.changed(); !changed.empty()) reload.files_changed(changed);
    watch.set(reload.files());
  }
}

int run(config::Inputs inputs, config::Loaded loaded, lifecycle::Signals& signals) {
  const auto settings = loaded.settings;
  std::atomic<bool> draining{false};
  metrics::Metrics metrics(operation_names(), client_names(*settings));
  metrics.gauge("gateway_log_lines_dropped_total", "Log lines dropped because nobody read them fast enough.",
                [] { return static_cast<double>(log::dropped()); });
  admin::Admin admin({settings->admin.key_hash, config::reachable_by_others(settings->admin.listen)});
  add_admin_routes(admin, metrics);
  admin.add_ready_check([&draining] { return admin::ReadyPart{"gateway", !draining, draining ? "it is ending" : ""}; });

  exchange::Service service(settings, metrics, admin);
  auto options = public_options(*settings);
  const auto tls = options.tls;
  server::Server public_server(std::move(options), service.handlers());
  if (tls) {
    tell_certificate(*tls);
    add_handshake_counts(metrics, public_server);
  }
  metrics.gauge("gateway_connections", "",
                [&public_server] { return static_cast<double>(public_server.connections()); });
  server::Server admin_server(admin_options(*settings), admin.handlers());

  service.start();
  public_server.start();
  admin_server.start();
  tell_addresses("admin", admin_server);
  tell_addresses("gateway", public_server);

  lifecycle::Reload reload(std::move(inputs), std::move(loaded),
                           {.settings =
                                [&](std::shared_ptr<const config::Settings> taken) {
                                  service.reload(taken);
                                  log::set_level(log::level_from(taken->log.level));
                                },
                            .tls = [&](auto tls) { public_server.set_tls(std::move(tls)); }});
  add_reload_counts(metrics, reload);
  const int signal = stay(signals, reload);
  signals.unblock();
  draining = true;
  log::info("ending", {{"signal", std::string_view(signal == SIGTERM ? "SIGTERM" : "SIGINT")}});
  const bool all = public_server.drain(kDrain);
  if (!all) log::warn("requests_cut", {{"after_seconds", std::int64_t{kDrain.count()}}});
  public_server.stop();
  service.stop();
  admin_server.drain(kAdminDrain);
  admin_server.stop();
  log::info("ended");
  return 0;
}

}  // namespace

int serve(config::Inputs inputs, config::Loaded loaded) {
  disable_core_dumps();
  raise_descriptor_limit();
  lifecycle::Signals signals;
  log::start(log::level_from(loaded.settings->log.level));
  int code = 1;
  try {
    code = run(std::move(inputs), std::move(loaded), signals);
  } catch (const std::exception& e) {
    log::error("cannot_start", {{"why", std::string_view(e.what())}});
  }
  log::stop();
  return code;
}

}  // namespace gateway
