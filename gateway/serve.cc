#include "gateway/serve.h"

#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <exception>
#include <thread>
#include <utility>

#include "gateway/admin/admin.h"
#include "gateway/admin/operations.h"
#include "gateway/admin/ready_parts.h"
#include "gateway/config/address.h"
#include "gateway/exchange/service.h"
#include "gateway/lifecycle/attend.h"
#include "gateway/lifecycle/edge_tls.h"
#include "gateway/lifecycle/inherited.h"
#include "gateway/lifecycle/reload.h"
#include "gateway/lifecycle/signals.h"
#include "gateway/lifecycle/take_over.h"
#include "gateway/log/log.h"
#include "gateway/metrics/metrics.h"
#include "gateway/metrics/process.h"
#include "gateway/server/server.h"
#include "gateway/status/board.h"
#include "gateway/status/facts.h"
#include "policies/catalogue.h"

namespace gateway {

namespace {

constexpr std::chrono::seconds kDrain{30};
constexpr std::chrono::seconds kAdminDrain{1};

// How long an idle connection may take for one more request. A new process serves its client's next connection, so
// there is time; whoever types Ctrl-C waits for nobody.
std::chrono::milliseconds idle_when_draining(int signal) {
  if (signal == SIGUSR2) return std::chrono::seconds{5};
  return signal == SIGTERM ? std::chrono::seconds{2} : std::chrono::seconds{0};
}

std::string_view name_of(int signal) {
  return signal == SIGUSR2 ? "SIGUSR2" : signal == SIGTERM ? "SIGTERM" : "SIGINT";
}

void disable_core_dumps() {
  const rlimit none{0, 0};
  ::setrlimit(RLIMIT_CORE, &none);
  ::prctl(PR_SET_DUMPABLE, 0);
}

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

// The limits of connections need more descriptors than the usual soft limit of 1024: it is raised to what
// the system allows.
void raise_descriptor_limit() {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur == limit.rlim_max) return;
  limit.rlim_cur = limit.rlim_max;
  ::setrlimit(RLIMIT_NOFILE, &limit);
}

// Clients' connections must not take the descriptors that the upstream, Redis and the admin address need: an
// orchestrator would see a process that answers nobody.
std::size_t most_connections(std::size_t wanted) {
  constexpr std::size_t kKept = 256, kLeast = 16;
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur == RLIM_INFINITY) return wanted;
  const std::size_t files = limit.rlim_cur;
  const auto most = std::min(std::max(files > 2 * kKept ? files - kKept : files / 2, kLeast), wanted);
  if (most < wanted)
    log::warn("connections_limited",
              {{"most", static_cast<std::int64_t>(most)},
               {"wanted", static_cast<std::int64_t>(wanted)},
               {"why", std::string_view("the limit of open files (ulimit -n) leaves no more room")}});
  return most;
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

// How long the upstream's indexes may lag behind what the predecessor wrote last: only it had the marks for that.
std::chrono::milliseconds rest_after_predecessor(const config::Settings& settings) {
  std::chrono::milliseconds rest{0};
  for (const auto& operation : policies::Catalogue::builtin().operations())
    rest = std::max<std::chrono::milliseconds>(rest, operation.times.settle);
  for (const auto& [name, times] : settings.cache.operations) rest = std::max(rest, times.settle.value_or(rest));
  return rest;
}

// What is inherited of a server's sockets. Until this process is ready the files stay the predecessor's.
bool adopt(lifecycle::Inherited& inherited, const std::string& name, server::Options& options) {
  options.adopted = inherited.take(name, options.addresses.front());
  bool owns_file = options.adopted.empty();
  for (auto& socket : options.adopted) owns_file = std::exchange(socket.owns_file, false) || owns_file;
  return owns_file;
}

int run(config::Inputs inputs, config::Loaded loaded, lifecycle::Signals& signals, lifecycle::TakeOver& take_over) {
  const auto settings = loaded.settings;
  lifecycle::Inherited inherited;
  std::atomic<bool> draining{false};
  metrics::Metrics metrics(operation_names(), client_names(*settings));
  metrics.gauge("gateway_log_lines_dropped_total", "Log lines dropped because nobody read them fast enough.",
                [] { return static_cast<double>(log::dropped()); });
  admin::Admin admin({settings->admin.key_hash, config::reachable_by_others(settings->admin.listen)});
  add_admin_routes(admin, metrics);
  admin.add_ready_check([&draining] { return admin::ReadyPart{"gateway", !draining, draining ? "it is ending" : ""}; });

  exchange::Service service(settings, metrics, admin);
  service.share_memory(inherited.has_predecessor());
  auto options = public_options(*settings);
  const bool owns_file = adopt(inherited, "gateway", options);
  options.limits.refuse_bodies = &service.memory_is_short();
  const auto tls = options.tls;
  const auto most = options.limits.connections = most_connections(options.limits.connections);
  server::Server public_server(std::move(options), service.handlers());
  admin.add_ready_check(
      [&draining, &public_server, most] { return admin::listeners_part(draining, public_server.connections(), most); });
  if (tls) {
    tell_certificate(*tls);
    add_handshake_counts(metrics, public_server);
  }
  metrics.gauge("gateway_connections", "",
                [&public_server] { return static_cast<double>(public_server.connections()); });
  std::atomic<const lifecycle::Reload*> reloads{nullptr};
  status::Board board(status::make_facts(*settings, metrics), {metrics, [&] {
                                                                 status::Now now;
                                                                 now.exchange = service.state();
                                                                 now.over_memory = now.exchange.over_memory;
                                                                 now.memory_refusals = now.exchange.memory_refusals;
                                                                 now.spans_dropped = now.exchange.spans.dropped +
                                                                                     now.exchange.spans.failed;
                                                                 now.connections = public_server.connections();
                                                                 now.ending = draining;
                                                                 now.resident_bytes = metrics::resident_bytes();
                                                                 now.log_lines_dropped = log::dropped();
                                                                 if (const auto* reload = reloads.load())
                                                                   now.settings_refused = reload->refused();
                                                                 return now;
                                                               }});
  board.add_routes(admin);
  auto admin_server_options = admin_options(*settings);
  const bool owns_admin_file = adopt(inherited, "admin", admin_server_options);
  server::Server admin_server(std::move(admin_server_options), admin.handlers());
  for (const std::string& address : inherited.close_rest())
    log::warn("inherited_socket_unused", {{"address", std::string_view(address)}});

  service.start();
  public_server.start();
  admin_server.start();
  board.start();
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
  reloads = &reload;
  inherited.tell_ready();
  public_server.own_socket_files(owns_file);
  admin_server.own_socket_files(owns_admin_file);
  lifecycle::notify("READY=1\nMAINPID=" + std::to_string(::getpid()));
  const auto sockets = [&] {
    auto all = public_server.sockets();
    for (auto& socket : admin_server.sockets()) all.push_back(std::move(socket));
    return all;
  };
  const int signal = lifecycle::attend({signals, reload, take_over, inherited, sockets,
                                        [&](bool with_another) { service.share_memory(with_another); },
                                        rest_after_predecessor(*settings)});
  signals.unblock();
  draining = true;
  log::info("ending", {{"signal", name_of(signal)}});
  const bool handed_over = signal == SIGUSR2;
  if (handed_over) {
    public_server.own_socket_files(false);
    admin_server.own_socket_files(false);
    board.stop();
    admin_server.drain(kAdminDrain);
    admin_server.stop();
  } else {
    lifecycle::notify("STOPPING=1");
  }
  service.end_streams();
  const bool all = public_server.drain(kDrain, idle_when_draining(signal));
  if (!all) log::warn("requests_cut", {{"after_seconds", std::int64_t{kDrain.count()}}});
  public_server.stop();
  board.stop();
  service.stop();
  admin_server.drain(kAdminDrain);
  admin_server.stop();
  log::info("ended");
  return 0;
}

}  // namespace

int serve(config::Inputs inputs, config::Loaded loaded) {
  lifecycle::TakeOver take_over;
  disable_core_dumps();
  raise_descriptor_limit();
  lifecycle::Signals signals;
  log::start(log::level_from(loaded.settings->log.level));
  int code = 1;
  try {
    code = run(std::move(inputs), std::move(loaded), signals, take_over);
  } catch (const std::exception& e) {
    log::error("cannot_start", {{"why", std::string_view(e.what())}});
  }
  log::stop();
  return code;
}

}  // namespace gateway
