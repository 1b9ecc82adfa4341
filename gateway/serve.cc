#include "gateway/serve.h"

#include <unistd.h>

#include <atomic>
#include <chrono>
#include <csignal>
#include <exception>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "gateway/admin/admin.h"
#include "gateway/admin/ready_parts.h"
#include "gateway/config/address.h"
#include "gateway/exchange/service.h"
#include "gateway/lifecycle/attend.h"
#include "gateway/lifecycle/inherited.h"
#include "gateway/lifecycle/reload.h"
#include "gateway/lifecycle/signals.h"
#include "gateway/lifecycle/take_over.h"
#include "gateway/log/log.h"
#include "gateway/metrics/metrics.h"
#include "gateway/metrics/process.h"
#include "gateway/process_limits.h"
#include "gateway/run_loop.h"
#include "gateway/serve_parts.h"
#include "gateway/server/server.h"
#include "gateway/status/board.h"
#include "gateway/status/facts.h"

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

// Gives `options` the sockets that were inherited for it. True: a unix socket's file is to be this process' own, once
// it is ready; until then it stays the predecessor's.
bool adopt(lifecycle::Inherited& inherited, const std::string& name, server::Options& options) {
  options.adopted = inherited.take(name, options.addresses.front());
  bool owns_file = options.adopted.empty();
  for (auto& socket : options.adopted) owns_file = std::exchange(socket.owns_file, false) || owns_file;
  return owns_file;
}

// Every part of the gateway, in the order in which they are made: a part uses those above it, so they go in the reverse
// order. Used by the main thread alone.
class Gateway {
 public:
  Gateway(config::Inputs inputs, config::Loaded loaded, lifecycle::Signals& signals, lifecycle::TakeOver& take_over)
      : settings_(loaded.settings),
        inputs_(std::move(inputs)),
        loaded_(std::move(loaded)),
        signals_(signals),
        take_over_(take_over),
        metrics_(operation_names(), client_names(*settings_)),
        admin_({settings_->admin.key_hash, config::reachable_by_others(settings_->admin.listen)}) {
    metrics_.gauge("gateway_log_lines_dropped_total", "Log lines dropped because nobody read them fast enough.",
                   [] { return static_cast<double>(log::dropped()); });
    metrics_.gauge("gateway_handler_failures_total", "Handlers of the Asio thread that ended with an exception.",
                   [] { return static_cast<double>(handler_failures()); });
    add_admin_routes(admin_, metrics_);
    admin_.add_ready_check([this] { return admin::ReadyPart{"gateway", !ending_, ending_ ? "it is ending" : ""}; });
    service_.emplace(settings_, metrics_, admin_);
    service_->share_memory(inherited_.has_predecessor());
    make_public_server();
    make_board();
    make_admin_server();
    for (const std::string& address : inherited_.close_rest())
      log::warn("inherited_socket_unused", {{"address", std::string_view(address)}});
  }

  // Until a signal ends it.
  void run() {
    start();
    const int signal = attend();
    lifecycle::Signals::ending(signal);
    end(signal);
  }

 private:
  void make_public_server() {
    auto options = public_options(*settings_);
    owns_file_ = adopt(inherited_, "gateway", options);
    options.limits.refuse_bodies = &service_->memory_is_short();
    const auto tls = options.tls;
    most_ = most_connections({options.limits.connections, admin_options(*settings_).limits.connections},
                             settings_->upstream.connections, options.threads);
    options.limits.connections = most_.clients;
    public_server_.emplace(std::move(options), service_->handlers());
    admin_.add_ready_check(
        [this] { return admin::listeners_part(ending_, public_server_->connections(), most_.clients); });
    if (tls) {
      tell_certificate(*tls);
      add_handshake_counts(metrics_, *public_server_);
    }
    metrics_.gauge("gateway_connections", "", [this] { return static_cast<double>(public_server_->connections()); });
  }

  void make_board() {
    board_.emplace(status::make_facts(*settings_, metrics_), status::Sources{metrics_, [this] { return look(); }});
    board_->add_routes(admin_);
  }

  void make_admin_server() {
    auto options = admin_options(*settings_);
    options.limits.connections = most_.admin;
    owns_admin_file_ = adopt(inherited_, "admin", options);
    admin_server_.emplace(std::move(options), admin_.handlers());
  }

  // For the status page; on its thread.
  status::Now look() const {
    status::Now now;
    now.exchange = service_->state();
    now.over_memory = now.exchange.over_memory;
    now.memory_refusals = now.exchange.memory_refusals;
    now.spans_dropped = now.exchange.spans.dropped + now.exchange.spans.failed;
    now.connections = public_server_->connections();
    now.ending = ending_;
    now.resident_bytes = metrics::resident_bytes();
    now.log_lines_dropped = log::dropped();
    if (const auto* reload = made_reload_.load()) now.settings_refused = reload->refused();
    return now;
  }

  void start() {
    service_->start();
    public_server_->start();
    admin_server_->start();
    board_->start();
    tell_addresses("admin", *admin_server_);
    tell_addresses("gateway", *public_server_);
    make_reload();
    inherited_.tell_ready();
    own_socket_files(owns_file_, owns_admin_file_);
    lifecycle::notify("READY=1\nMAINPID=" + std::to_string(::getpid()));
  }

  void make_reload() {
    lifecycle::Reload::Apply apply;
    apply.settings = [this](std::shared_ptr<const config::Settings> taken) {
      service_->reload(taken);
      log::set_level(log::level_from(taken->log.level));
    };
    apply.tls = [this](auto tls) { public_server_->set_tls(std::move(tls)); };
    reload_.emplace(std::move(inputs_), std::move(loaded_), std::move(apply));
    add_reload_counts(metrics_, *reload_);
    made_reload_ = &*reload_;
  }

  // The signal that ends it.
  int attend() {
    return lifecycle::attend({signals_, *reload_, take_over_, inherited_, [this] { return sockets(); },
                              [this](bool with_another) { service_->share_memory(with_another); },
                              rest_after_predecessor(*settings_)});
  }

  std::vector<server::AdoptedSocket> sockets() const {
    auto all = public_server_->sockets();
    for (auto& socket : admin_server_->sockets()) all.push_back(std::move(socket));
    return all;
  }

  void own_socket_files(bool own, bool own_admin) {
    public_server_->own_socket_files(own);
    admin_server_->own_socket_files(own_admin);
  }

  // The admin address stays while requests are finished, so that health and metrics can be seen; not where a new
  // process answers there already.
  void end(int signal) {
    ending_ = true;
    log::info("ending", {{"signal", name_of(signal)}});
    if (signal == SIGUSR2) {
      own_socket_files(false, false);
      end_admin_server();
    } else {
      lifecycle::notify("STOPPING=1");
    }
    service_->end_streams();
    const bool all = public_server_->drain(kDrain, idle_when_draining(signal));
    if (!all) log::warn("requests_cut", {{"after_seconds", std::int64_t{kDrain.count()}}});
    public_server_->stop();
    board_->stop();
    service_->stop();
    end_admin_server();
    log::info("ended");
  }

  // Once or again.
  void end_admin_server() {
    board_->stop();
    admin_server_->drain(kAdminDrain);
    admin_server_->stop();
  }

  const std::shared_ptr<const config::Settings> settings_;
  config::Inputs inputs_;  // these two: until there is a Reload
  config::Loaded loaded_;
  lifecycle::Signals& signals_;
  lifecycle::TakeOver& take_over_;
  lifecycle::Inherited inherited_;
  std::atomic<bool> ending_{false};
  metrics::Metrics metrics_;
  admin::Admin admin_;
  std::optional<exchange::Service> service_;
  MostConnections most_;
  std::optional<server::Server> public_server_;
  std::atomic<const lifecycle::Reload*> made_reload_{nullptr};  // reload_, for the board's thread
  std::optional<status::Board> board_;
  std::optional<server::Server> admin_server_;
  std::optional<lifecycle::Reload> reload_;
  bool owns_file_ = false;  // of a unix socket; and of the admin address
  bool owns_admin_file_ = false;
};

}  // namespace

int serve(config::Inputs inputs, config::Loaded loaded) {
  lifecycle::TakeOver take_over;
  disable_core_dumps();
  raise_descriptor_limit();
  lifecycle::Signals signals;
  log::start(log::level_from(loaded.settings->log.level));
  int code = 1;
  try {
    Gateway(std::move(inputs), std::move(loaded), signals, take_over).run();
    code = 0;
  } catch (const std::exception& e) {
    log::error("cannot_start", {{"why", std::string_view(e.what())}});
  }
  log::stop();
  return code;
}

}  // namespace gateway
