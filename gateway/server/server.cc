#include "gateway/server/server.h"

#include <pistache/reactor.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <future>
#include <stdexcept>

#include "gateway/mutex.h"
#include "gateway/server/acceptor.h"
#include "gateway/server/worker.h"

namespace gateway::server {

namespace {

// Connections above the cap that still get a worker, which can close them in a way that lets them read the 503.
constexpr std::size_t kRefusedAtOnce = 256;

// Pistache asks one prototype for a clone for each of its threads; these are made beforehand.
class Workers : public Pistache::Aio::Handler {
 public:
  explicit Workers(const std::vector<std::shared_ptr<Worker>>& workers) : workers_(workers) {}
  std::shared_ptr<Pistache::Aio::Handler> clone() const override { return workers_.at(next_++); }
  void onReady(const Pistache::Aio::FdSet&) override {}
  void registerPoller(Pistache::Polling::Epoll&) override {}

 private:
  const std::vector<std::shared_ptr<Worker>>& workers_;
  mutable std::size_t next_ = 0;
};

std::vector<Listener> listen_on(const Options& options) {
  std::vector<Listener> listeners;
  for (const auto& address : options.addresses) {
    const auto adopted = std::find_if(options.adopted.begin(), options.adopted.end(),
                                      [&](const AdoptedSocket& socket) { return socket.address == address; });
    if (adopted == options.adopted.end())
      listeners.emplace_back(address);
    else
      listeners.emplace_back(address, adopted->fd, adopted->owns_file);
  }
  return listeners;
}

}  // namespace

class Server::Impl {
 public:
  Impl(Options options, HandlerFactory factory)
      : options_(std::move(options)),
        factory_(std::move(factory)),
        tls_(options_.tls),
        handshakes_(handshake_options(options_), handshake_events()),
        acceptor_(listen_on(options_), [this](int fd) { welcome(fd); }) {
    if (options_.threads == 0) throw std::runtime_error("a server needs at least one thread");
    for (const auto& listener : acceptor_.listeners()) addresses_.push_back(listener.address());
  }
  ~Impl() { stop(); }

  void start() {
    for (std::size_t index = 0; index < options_.threads; ++index) {
      workers_.push_back(std::make_shared<Worker>(options_, index, factory_(index), open_));
    }
    reactor_ = Pistache::Aio::Reactor::create();
    reactor_->init(Pistache::Aio::AsyncContext(options_.threads, options_.name));
    reactor_->addHandler(std::make_shared<Workers>(workers_));
    reactor_->run();
    if (options_.tls) handshakes_.start();
    acceptor_.start();
  }

  // Handshakes under way go on: their clients were accepted.
  bool drain(std::chrono::milliseconds limit, std::chrono::milliseconds idle) {
    const auto end = std::chrono::steady_clock::now() + limit;
    acceptor_.stop();
    for (const auto& worker : workers_) worker->post([idle](Worker& target) { target.drain(idle); });
    return open_.wait_for_none(end);
  }

  void stop() {
    acceptor_.stop();
    handshakes_.stop();
    if (!reactor_) return;
    for (const auto& worker : workers_) {
      std::promise<void> closed;
      worker->post([&closed](Worker& target) {
        target.close_all();
        closed.set_value();
      });
      closed.get_future().wait();
    }
    reactor_->shutdown();
    reactor_.reset();  // joins the threads
    workers_.clear();
  }

  const std::vector<std::string>& addresses() const { return addresses_; }
  std::size_t connections() const { return open_.get(); }

  std::vector<AdoptedSocket> sockets() const {
    std::vector<AdoptedSocket> sockets;
    for (const auto& listener : acceptor_.listeners())
      sockets.push_back({listener.wanted(), listener.fd(), listener.owns_file()});
    return sockets;
  }
  void own_socket_files(bool own) {
    for (auto& listener : acceptor_.listeners()) listener.own_file(own);
  }
  std::uint64_t handshakes(HandshakeResult result) const { return handshakes_.count(result); }

  void set_tls(std::shared_ptr<const TlsContext> context) {
    const Lock lock(mutex_);
    tls_ = std::move(context);
  }

 private:
  static Handshakes::Options handshake_options(const Options& options) {
    return {(options.threads + 1) / 2, options.limits.handshake_timeout, options.limits.handshakes};
  }

  Handshakes::Events handshake_events() {
    Handshakes::Events events;
    events.done = [this](int fd, std::shared_ptr<TlsSession> session) {
      const bool over = open_.get() > options_.limits.connections;
      hand_on({fd, std::move(session), over ? &refusal::kConnections : nullptr});
    };
    events.plain_http = [this](int fd) { hand_on({.fd = fd, .refusal = &refusal::kPlainHttp}); };
    events.refused = [this](int fd) { hand_on({.fd = fd, .linger = true}); };
    events.lost = [this] { open_.lower(); };
    events.failed = options_.on_handshake_failed;
    events.context = [this] {
      const Lock lock(mutex_);
      return tls_;
    };
    return events;
  }

  // On the acceptor's thread.
  void welcome(int fd) {
    const auto before = open_.raise();
    if (before >= options_.limits.connections + kRefusedAtOnce) {
      open_.lower();
      ::close(fd);
      return;
    }
    if (options_.tls) return handshakes_.take(fd);
    hand_on({.fd = fd, .refusal = before >= options_.limits.connections ? &refusal::kConnections : nullptr});
  }

  // On the acceptor's thread or a handshake thread.
  void hand_on(Arrival arrival) {
    const auto index = next_worker_.fetch_add(1, std::memory_order_relaxed) % workers_.size();
    workers_[index]->post([arrival = std::move(arrival)](Worker& worker) { worker.adopt(arrival); });
  }

  const Options options_;
  const HandlerFactory factory_;
  std::vector<std::string> addresses_;
  OpenCount open_;
  std::vector<std::shared_ptr<Worker>> workers_;
  std::shared_ptr<Pistache::Aio::Reactor> reactor_;
  std::atomic<std::size_t> next_worker_{0};
  Mutex mutex_;
  std::shared_ptr<const TlsContext> tls_ GUARDED_BY(mutex_);
  Handshakes handshakes_;
  Acceptor acceptor_;
};

Server::Server(Options options, HandlerFactory factory)
    : impl_(std::make_unique<Impl>(std::move(options), std::move(factory))) {}
Server::~Server() = default;
void Server::start() { impl_->start(); }
std::vector<std::string> Server::addresses() const { return impl_->addresses(); }
std::size_t Server::connections() const { return impl_->connections(); }
std::vector<AdoptedSocket> Server::sockets() const { return impl_->sockets(); }
void Server::own_socket_files(bool own) { impl_->own_socket_files(own); }
std::uint64_t Server::handshakes(HandshakeResult result) const { return impl_->handshakes(result); }
void Server::set_tls(std::shared_ptr<const TlsContext> context) { impl_->set_tls(std::move(context)); }
bool Server::drain(std::chrono::milliseconds limit, std::chrono::milliseconds idle) {
  return impl_->drain(limit, idle);
}
void Server::stop() { impl_->stop(); }

}  // namespace gateway::server
