#include "gateway/flows/engine.h"

#include <asio/co_spawn.hpp>
#include <asio/steady_timer.hpp>
#include <asio/use_awaitable.hpp>
#include <atomic>
#include <map>
#include <utility>

#include "gateway/flows/admin_routes.h"
#include "gateway/log/failure.h"
#include "gateway/log/log.h"
#include "gateway/mutex.h"
#include "gateway/redis/event.h"

namespace gateway::flows {

using namespace std::chrono_literals;

namespace {
constexpr auto kBeat = 500ms;  // of the loop that looks after what is under way
constexpr auto kTidy = 600'000ms;
}  // namespace

class Engine::Impl {
 public:
  explicit Impl(EngineParts parts)
      : parts_(std::move(parts)),
        reader_(parts_.io, parts_.reader),
        store_(parts_.redis, reader_, parts_.replica),
        starts_(parts_.io, store_, parts_.flows),
        runner_({parts_.io, parts_.calls, store_, parts_.metrics, parts_.flows, parts_.upstream_timeout}),
        changed_(parts_.io.get_executor()) {}

  void listen(webhooks::Intake& webhooks, exchange::OwnPaths& own_paths) {
    webhooks.add(
        [this](std::shared_ptr<const webhooks::Received> received) { return starts_.on_webhook(std::move(received)); });
    own_paths.handle("take-lead",
                     [this](std::shared_ptr<exchange::OwnRequest> request) { starts_.take_lead(std::move(request)); });
  }

  void add_to(admin::Admin& admin) {
    for (auto& route : admin_routes({parts_.io, store_, parts_.flows})) admin.add(std::move(route));
    admin.add_ready_check([this] {
      const Lock lock(mutex_);
      return admin::ReadyPart{"flows", true, known_ ? doubt_ : "Redis is away: events are refused, runs wait"};
    });
    const auto gauge = [this](const char* name, const char* help, const std::atomic<double>& value) {
      parts_.metrics.gauge(name, help, [&value] { return value.load(); });
    };
    gauge("gateway_flow_queue_depth", "Runs of flows that are ready or under way, over all replicas.", queued_);
    gauge("gateway_flow_due", "Runs of flows that wait for their next attempt.", due_);
    gauge("gateway_flow_dead_letters", "Runs of flows that were given up.", dead_);
    gauge("gateway_flow_lag_seconds", "Age of the oldest run that is ready or under way.", lag_);
    gauge("gateway_flow_dead_letters_dropped_total", "Dead letters dropped because there were too many.", dropped_);
  }

  void start() {
    reader_.start();
    spawn("flows_take_failed", take());
    spawn("flows_look_after_failed", look_after());
  }

  asio::awaitable<void> stop(std::chrono::milliseconds limit) {
    stopping_ = true;
    runner_.stop();
    reader_.stop();
    changed_.notify();
    while (loops_ > 0) co_await changed_.wait();
    const auto deadline = redis::Clock::now() + limit;
    while (!under_way_.empty() && redis::Clock::now() < deadline) co_await changed_.wait(deadline);
    std::vector<std::string> left;
    for (auto& [entry, lease] : under_way_) {
      lease->lost = true;  // nothing of it is sent from here on
      if (!lease->sending) left.push_back(entry);
    }
    if (!left.empty()) co_await store_.release(std::move(left));
  }

 private:
  void spawn(const char* failure, asio::awaitable<void> loop) {
    ++loops_;
    asio::co_spawn(parts_.io, std::move(loop), [this, failure](const std::exception_ptr& error) {
      log::failure(failure, error);
      --loops_;
      changed_.notify();
    });
  }

  asio::awaitable<void> pause(std::chrono::milliseconds length) {
    asio::steady_timer timer(parts_.io, length);
    co_await timer.async_wait(asio::use_awaitable);
  }

  std::size_t free() const { return parts_.most_runs - std::min(parts_.most_runs, under_way_.size()); }

  // `sent`: when the request to Redis that brought them was sent.
  void begin(const std::vector<Taken>& taken, std::chrono::milliseconds sent, bool claimed) {
    for (const auto& entry : taken) {
      auto lease = std::make_shared<Lease>(Lease{entry, sent});
      lease->claimed = claimed;
      if (!under_way_.emplace(entry.entry, lease).second) continue;  // it is still here, only late with its renewal
      asio::co_spawn(parts_.io, runner_.run(lease), [this, lease](const std::exception_ptr& error) {
        log::failure("flow_run_failed", error);
        under_way_.erase(lease->taken.entry);
        changed_.notify();
      });
    }
  }

  asio::awaitable<void> take() {
    while (!stopping_) {
      if (free() == 0) {
        co_await changed_.wait();
        continue;
      }
      const auto sent = cache::boottime();
      const auto taken = co_await store_.take(free());
      if (taken)
        begin(*taken, sent, false);
      else if (!stopping_)
        co_await pause(kBeat);
    }
  }

  asio::awaitable<void> look_after() {
    auto next_claim = redis::Clock::now(), next_renewal = next_claim, next_tidy = next_claim + kTidy;
    while (!stopping_) {
      const auto now = redis::Clock::now();
      if (now >= next_renewal) {
        co_await renew();
        next_renewal = now + kRenew;
      }
      co_await store_.wake();
      co_await starts_.tick();
      if (now >= next_claim && free() > 0 && !stopping_) {
        const auto sent = cache::boottime();
        begin(co_await store_.claim(free(), kIdle), sent, true);
        next_claim = now + kRenew;
      }
      if (now >= next_tidy) {
        co_await store_.tidy();
        next_tidy = now + kTidy;
      }
      co_await ask_doubt();
      co_await publish();
      co_await pause(kBeat);
    }
  }

  asio::awaitable<void> renew() {
    std::vector<LeasePtr> leases;
    std::vector<std::string> entries;
    for (const auto& [entry, lease] : under_way_) {
      leases.push_back(lease);
      entries.push_back(entry);
    }
    if (entries.empty()) co_return;
    const auto sent = cache::boottime();
    const auto kept = co_await store_.renew(std::move(entries));
    if (!kept) co_return;
    for (std::size_t i = 0; i < leases.size() && i < kept->size(); ++i) {
      if ((*kept)[i])
        leases[i]->renewed = sent;
      else
        leases[i]->lost = true;
    }
  }

  // Once for each connection: another Redis may have other settings.
  asio::awaitable<void> ask_doubt() {
    const auto connects = parts_.redis.status().connects;
    if (connects == asked_) co_return;
    auto doubt = co_await store_.doubt();
    if (!doubt) co_return;
    asked_ = connects;
    if (!doubt->empty()) log::warn("flows_may_be_lost", {{"why", std::string_view(*doubt)}});
    const Lock lock(mutex_);
    doubt_ = std::move(*doubt);
  }

  asio::awaitable<void> publish() {
    const auto counts = co_await store_.count();
    known_ = counts.has_value();
    if (!counts) co_return;
    queued_ = static_cast<double>(counts->queued);
    due_ = static_cast<double>(counts->due);
    dead_ = static_cast<double>(counts->dead);
    lag_ = static_cast<double>(counts->oldest.count()) / 1'000;
    dropped_ = static_cast<double>(store_.dropped_letters());
  }

  EngineParts parts_;
  redis::Client reader_;
  Store store_;
  Starts starts_;
  Runner runner_;
  redis::Event changed_;
  std::map<std::string, LeasePtr> under_way_;  // by entry
  int loops_ = 0;
  bool stopping_ = false;
  std::uint64_t asked_ = 0;
  std::atomic<bool> known_{false};
  Mutex mutex_;
  std::string doubt_ GUARDED_BY(mutex_);
  std::atomic<double> queued_{0}, due_{0}, dead_{0}, lag_{0}, dropped_{0};
};

Engine::Engine(EngineParts parts) : impl_(std::make_unique<Impl>(std::move(parts))) {}
Engine::~Engine() = default;
void Engine::listen(webhooks::Intake& webhooks, exchange::OwnPaths& own_paths) { impl_->listen(webhooks, own_paths); }
void Engine::add_to(admin::Admin& admin) { impl_->add_to(admin); }
void Engine::start() { impl_->start(); }
asio::awaitable<void> Engine::stop(std::chrono::milliseconds limit) { return impl_->stop(limit); }

}  // namespace gateway::flows
