#include "gateway/server/server.h"

#include <pistache/reactor.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <future>
#include <stdexcept>

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

std::vector<Listener> listen_on(const std::vector<std::string>& addresses) {
  std::vector<Listener> listeners;
  for (const auto& address : addresses) listeners.emplace_back(address);
  return listeners;
}

}  // namespace

class Server::Impl {
 public:
  Impl(Options options, HandlerFactory factory)
      : options_(std::move(options)),
        factory_(std::move(factory)),
        acceptor_(listen_on(options_.addresses), [this](int fd) { distribute(fd); }) {
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
    acceptor_.start();
  }

  bool drain(std::chrono::milliseconds limit) {
    const auto end = std::chrono::steady_clock::now() + limit;
    acceptor_.stop();
    std::vector<std::future<void>> drained;
    for (const auto& worker : workers_) {
      auto done = std::make_shared<std::promise<void>>();
      drained.push_back(done->get_future());
      worker->post([done](Worker& target) { target.drain(std::move(*done)); });
    }
    bool all = true;
    for (auto& future : drained) all = future.wait_until(end) == std::future_status::ready && all;
    return all;
  }

  void stop() {
    acceptor_.stop();
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
  std::size_t connections() const { return open_.load(std::memory_order_relaxed); }

 private:
  // On the acceptor's thread.
  void distribute(int fd) {
    const auto before = open_.fetch_add(1, std::memory_order_relaxed);
    const bool over = before >= options_.limits.connections;
    if (before >= options_.limits.connections + kRefusedAtOnce) {
      open_.fetch_sub(1, std::memory_order_relaxed);
      ::close(fd);
      return;
    }
    workers_[next_worker_++ % workers_.size()]->post([fd, over](Worker& worker) { worker.adopt(fd, over); });
  }

  const Options options_;
  const HandlerFactory factory_;
  std::vector<std::string> addresses_;
  std::atomic<std::size_t> open_{0};
  std::vector<std::shared_ptr<Worker>> workers_;
  std::shared_ptr<Pistache::Aio::Reactor> reactor_;
  std::size_t next_worker_ = 0;
  Acceptor acceptor_;
};

Server::Server(Options options, HandlerFactory factory)
    : impl_(std::make_unique<Impl>(std::move(options), std::move(factory))) {}
Server::~Server() = default;
void Server::start() { impl_->start(); }
std::vector<std::string> Server::addresses() const { return impl_->addresses(); }
std::size_t Server::connections() const { return impl_->connections(); }
bool Server::drain(std::chrono::milliseconds limit) { return impl_->drain(limit); }
void Server::stop() { impl_->stop(); }

}  // namespace gateway::server
