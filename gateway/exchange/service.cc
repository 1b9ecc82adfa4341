#include "gateway/exchange/service.h"

#include <algorithm>
#include <asio/co_spawn.hpp>
#include <asio/executor_work_guard.hpp>
#include <asio/io_context.hpp>
#include <asio/post.hpp>
#include <asio/steady_timer.hpp>
#include <asio/use_awaitable.hpp>
#include <thread>

#include "gateway/admin/purge.h"
#include "gateway/admin/ready_parts.h"
#include "gateway/cache/local_tier.h"
#include "gateway/cache/redis_tier.h"
#include "gateway/credentials/assembly.h"
#include "gateway/exchange/belonging.h"
#include "gateway/exchange/calls.h"
#include "gateway/exchange/exchange.h"
#include "gateway/exchange/front.h"
#include "gateway/exchange/gauges.h"
#include "gateway/exchange/redis_checks.h"
#include "gateway/exchange/service_options.h"
#include "gateway/flows/engine.h"
#include "gateway/idempotency/claims.h"
#include "gateway/idempotency/local_store.h"
#include "gateway/idempotency/redis_store.h"
#include "gateway/log/failure.h"
#include "gateway/log/log.h"
#include "gateway/mutex.h"
#include "gateway/random.h"
#include "gateway/records/records.h"
#include "gateway/run_loop.h"
#include "gateway/webhooks/intake.h"
#include "policies/passthrough.h"
#include "policies/surrogate_keys.h"

namespace gateway::exchange {

namespace {
// What one thread publishes and others read as a whole.
template <typename Item>
class Published {
 public:
  void publish(std::vector<Item> items) {
    Lock lock(mutex_);
    items_ = std::move(items);
  }
  std::vector<Item> read() const {
    Lock lock(mutex_);
    return items_;
  }

 private:
  mutable Mutex mutex_;
  std::vector<Item> items_ GUARDED_BY(mutex_);
};
}  // namespace

// Members in the order of their making; the Asio thread is joined before any of them goes.
class Service::Impl {
 public:
  Impl(std::shared_ptr<const config::Settings> settings, metrics::Metrics& metrics, admin::Admin& admin)
      : settings_(std::move(settings)),
        metrics_(metrics),
        credentials_(settings_),
        memory_(settings_->cache.enabled ? settings_->cache.memory_bytes : 0),
        vary_names_(policies::passthrough_index() + 1u),
        reporter_(metrics_, client_names_, *settings_),
        tracer_({settings_->tracing.otlp, {GATEWAY_VERSION, random_hex(8)}}),
        upstream_(io_, upstream_options(*settings_)) {
    in_force_.set({settings_, access::Clients(*settings_, client_names_), credentials_.scope(),
                   std::make_shared<const webhooks::PublicKeys>(settings_->webhooks)});
    make_tier();
    make_oauth(admin);
    make_exchange();
    make_webhooks();
    make_calls();
    if (!settings_->flows.path.empty()) make_flows(admin);
    records_ = std::make_unique<records::Records>(io_, *calls_, own_paths_);
    add_gauges(metrics_, [this] { return state(); });
    add_to(admin);
  }

  server::HandlerFactory handlers() {
    return [this](std::size_t) -> std::unique_ptr<server::Handler> {
      return std::make_unique<Front>(FrontParts{in_force_, catalogue_, memory_, fence_, vary_names_, reporter_,
                                                *exchange_, *webhooks_, own_paths_, tracer_, memory_guard_});
    };
  }

  void share_memory(bool with_another_process) {
    if (local_tier_ != nullptr) local_tier_->share(with_another_process);
  }

  // The order matters: a worker that sees a new client's key asks credentials, limiter and metrics about it, so those
  // know it first. The limiter's and exchange's part runs on their thread, before any request handed over later.
  void reload(std::shared_ptr<const config::Settings> settings) {
    access::Clients clients(*settings, client_names_);
    auto webhook_keys = std::make_shared<const webhooks::PublicKeys>(settings->webhooks);
    for (auto known = metrics_.clients(); known < client_names_.count(); ++known)
      metrics_.add_client(std::string(client_names_.name(static_cast<std::uint16_t>(known + 1))));
    credentials_.reload(settings);
    asio::post(io_, [this, settings] {
      limiter_->reconfigure(limiter_options(*settings, client_names_));
      attempts_->set_times(deadline_of(*settings), settings->rate_limit.max_wait, settings->rate_limit.interval);
      if (oauth_) oauth_->reload(*settings);
      exchange_->set_times(times_of(*settings, catalogue_));
    });
    reporter_.reload(*settings);
    in_force_.set({settings, std::move(clients), credentials_.scope(), std::move(webhook_keys)});
    in_force_.update([this](InForce& value) { value.scope = credentials_.scope(); });  // it may have changed meanwhile
  }

  const std::atomic<bool>& memory_is_short() const { return memory_guard_.refusing(); }

  State state() const {
    State state;
    state.locations = limits_.read();
    state.circuits = circuits_.read();
    state.known_locations = known_locations_;
    if (redis_) state.redis_up = redis_up_.load();
    state.memory_bytes = memory_.bytes();
    state.memory_entries = memory_.entries();
    state.evictions = memory_.evictions();
    state.memory_limit = memory_guard_.limit();
    state.over_memory = memory_guard_.refusing();
    state.memory_refusals = memory_guard_.refusals();
    state.spans = {tracer_.sent(), tracer_.dropped(), tracer_.failed()};
    if (oauth_) {
      auto report = oauth_->report();
      for (const auto& token : report.expiries) state.tokens.push_back({token.location, token.expires});
      state.token_troubles = std::move(report.troubles);
    }
    const auto in_force = in_force_.get();
    const auto& tokens = in_force->settings->credentials;
    state.fixed_tokens = tokens.locations.size() + (tokens.token.empty() ? 0 : 1);
    return state;
  }

  void end_streams() { records_->end_all(); }

  void start() {
    tracer_.start();
    if (redis_) {
      redis_->start();
      redis_tier_->start();
    }
    limiter_->start();
    if (oauth_) oauth_->start();
    claims_->start();
    asio::co_spawn(io_, memory_guard_.watch(), log::logged("memory_guard_failed"));
    asio::co_spawn(io_, publish_limits(), log::logged("publish_limits_failed"));
    if (flows_) flows_->start();
    thread_ = std::thread([this] { run_loop(io_); });
  }

  void stop() {
    if (!thread_.joinable()) return;
    asio::co_spawn(io_, wind_down(), [this](const std::exception_ptr& error) {
      log::failure("stop_failed", error);
      work_.reset();
      io_.stop();
    });
    thread_.join();
    tracer_.stop();
  }

  ~Impl() {
    stop();
    // What the end of the drain cut off goes while the parts it refers to are there; also who waits outside the loop.
    upstream_.close();
    if (redis_) redis_->stop();
    io_.let_go();
  }

 private:
  asio::awaitable<void> wind_down() {
    if (flows_) co_await flows_->stop(std::chrono::seconds(2));
    if (oauth_) co_await oauth_->stop();  // a new pair that is on its way is stored
    limiter_->stop();
    claims_->stop();
    if (redis_tier_) {
      redis_tier_->stop();
      co_await redis_tier_->leave();
    }
    if (redis_) redis_->stop();
    co_await asio::post(io_, asio::use_awaitable);  // those whom Redis still owed an answer hear of it first
  }

  void make_tier() {
    if (settings_->redis.url.empty()) {
      auto local = std::make_unique<cache::LocalTier>(fence_, timing_of(*settings_));
      local_tier_ = local.get();
      tier_ = std::move(local);
      return;
    }
    redis::Options options;
    options.url = redis::parse_url(settings_->redis.url.value);
    options.timeout = settings_->redis.timeout;
    options.on_command = [this](std::string_view command, std::chrono::nanoseconds took) {
      metrics_.redis_command(command, took);
    };
    options.on_status = [this](const redis::Status& status) { on_redis(status); };
    auto url = options.url;
    redis_ = std::make_unique<redis::Client>(io_, std::move(options));
    redis_checks_ = std::make_unique<RedisChecks>(io_, *redis_, std::move(url), settings_->upstream.url);
    cache::RedisTierOptions tier{timing_of(*settings_), settings_->redis.timeout, random_hex(8),
                                 [this](std::string_view reason) {
                                   metrics_.unreadable_entry(reason);
                                   log::warn("cache_entry_unreadable", {{"reason", reason}});
                                 },
                                 [this](std::string_view cause) { metrics_.invalidation(cause); }};
    auto redis_tier = std::make_unique<cache::RedisTier>(io_, *redis_, fence_, std::move(tier));
    redis_tier_ = redis_tier.get();
    tier_ = std::move(redis_tier);
  }

  void make_oauth(admin::Admin& admin) {
    const auto scope_changed = [this] {
      in_force_.update([this](InForce& value) { value.scope = credentials_.scope(); });
    };
    oauth_ = credentials::make_oauth(*settings_, {io_, redis_.get(), metrics_, admin, scope_changed});
    credentials_.use(oauth_.get());
  }

  void make_exchange() {
    cache::WritesOptions writes{timing_of(*settings_), settings_->cache.strict, settings_->cache.refuse_writes,
                                [this] { metrics_.unfenced_write(); }};
    writes_ = std::make_unique<cache::Writes>(io_, *tier_, fence_, std::move(writes));
    limiter_ = std::make_unique<limiter::Limiter>(io_, limiter_options(*settings_, client_names_), redis_.get());
    AttemptsParts attempts{io_, upstream_, *limiter_, credentials_, metrics_, {}, {settings_->retry.budget}, {}};
    attempts_ = std::make_unique<Attempts>(std::move(attempts));
    attempts_->set_times(deadline_of(*settings_), settings_->rate_limit.max_wait, settings_->rate_limit.interval);
    claims_ = std::make_shared<idempotency::Claims>(
        io_, make_key_store(), [this](std::string_view result) { metrics_.idempotency_key(result); });
    exchange_ = std::make_unique<Exchange>(ExchangeParts{io_, settings_, memory_, fence_, *tier_, *writes_, *attempts_,
                                                         *claims_, client_names_, vary_names_, reporter_, catalogue_,
                                                         times_of(*settings_, catalogue_)});
  }

  void make_webhooks() {
    webhooks_ = std::make_unique<webhooks::Intake>(
        webhooks::IntakeParts{io_, *writes_, redis_.get(), metrics_, reporter_, policies::Triggers::builtin()});
    if (!oauth_) return;
    webhooks_->add([this](std::shared_ptr<const webhooks::Received> received) -> asio::awaitable<bool> {
      const auto installation = policies::read_installation(received->event.type, received->body);
      co_return !installation || co_await oauth_->on_installation(*installation);
    });
  }

  void make_calls() {
    calls_ = std::make_unique<Calls>(in_force_, catalogue_, vary_names_, *exchange_);
    belonging_ = std::make_unique<Belonging>(*calls_);
    exchange_->prove_by([this](const Request& request) { return belonging_->prove(request); });
  }

  void make_flows(admin::Admin& admin) {
    if (!redis_) throw std::runtime_error("flows.path: flows need redis.url");
    auto loaded = flows::load_flows(settings_->flows.path);
    if (!loaded.problems.empty()) throw std::runtime_error(loaded.problems.front());
    redis::Options reader;
    reader.url = redis::parse_url(settings_->redis.url.value);
    reader.stall_timeout = std::chrono::seconds(5);  // longer than a read of the queue waits for entries
    flows_ = std::make_unique<flows::Engine>(flows::EngineParts{io_, *calls_, *redis_, std::move(reader), metrics_,
                                                                std::move(loaded.flows), settings_->upstream.timeout,
                                                                random_hex(8)});
    flows_->listen(*webhooks_, own_paths_);
    flows_->add_to(admin);
  }

  void add_to(admin::Admin& admin) {
    admin.add(admin::purge_route([this](admin::Purge purge, std::function<void(admin::Purged)> done) {
      start_purge(std::move(purge), std::move(done));
    }));
    admin.add_ready_check([this] {
      std::vector<std::string> open;
      for (const auto& circuit : circuits_.read())
        if (circuit.open) open.push_back(circuit.location);
      return admin::upstream_part(open);
    });
    if (memory_guard_.limit() > 0)
      admin.add_ready_check([this] { return admin::memory_part(memory_guard_.refusing(), memory_guard_.limit()); });
    if (redis_) admin.add_ready_check([this] { return redis_part(); });
  }

  admin::ReadyPart redis_part() const {
    if (!redis_up_) return {"redis", true, "Redis is away: answers come from upstream, writes wait out a lease"};
    const auto missing = redis_checks_->missing_right();
    return {"redis", true, missing.empty() ? "" : "its user lacks a right that the gateway needs: " + missing};
  }

  std::unique_ptr<idempotency::Store> make_key_store() {
    if (redis_) return std::make_unique<idempotency::RedisStore>(*redis_);
    return std::make_unique<idempotency::LocalStore>([this] { metrics_.idempotency_key("evicted"); });
  }

  void on_redis(const redis::Status& status) {
    redis_up_ = status.up;
    if (status.up) {
      log::info("redis_connected");
      asio::co_spawn(io_, writes_->repeat_unfenced(), log::logged("repeat_unfenced_failed"));
      redis_checks_->look();
    } else {
      log::warn("redis_lost", {{"why", std::string_view(status.error)}});
    }
  }

  // The limiter and the circuits live on the Asio thread; a scrape reads a copy that is never older than this.
  asio::awaitable<void> publish_limits() {
    for (;;) {
      attempts_->beat();
      auto locations = limiter_->snapshot();
      known_locations_ = locations.size();
      limits_.publish(busiest(std::move(locations)));
      circuits_.publish(busiest(attempts_->circuits()));
      if (oauth_) oauth_->publish();
      asio::steady_timer pause(io_, Attempts::kBeat);
      co_await pause.async_wait(asio::use_awaitable);
    }
  }

  void start_purge(admin::Purge purge, std::function<void(admin::Purged)> done) {
    auto keys = purge.all                ? std::vector<std::string>{}
                : purge.location.empty() ? std::move(purge.keys)
                                         : policies::keys_of_location(purge.location);
    asio::co_spawn(io_, purge_keys(std::move(keys)),
                   [done = std::move(done)](std::exception_ptr error, admin::Purged purged) {
                     done(error ? admin::Purged{false, 0, "the gateway failed"} : std::move(purged));
                   });
  }

  asio::awaitable<admin::Purged> purge_keys(std::vector<std::string> keys) {
    const auto sweep = [this] {
      return memory_.remove_if([this](const cache::Entry& entry) { return !entry.intact(fence_); });
    };
    sweep();  // what writes have made stale before is not of this purge
    metrics_.invalidation("purge");
    const bool fenced = co_await writes_->purge(std::move(keys));
    const auto entries = sweep();
    if (fenced) co_return admin::Purged{true, entries, ""};
    co_return admin::Purged{false, entries, "Redis is away: only this process has dropped the entries"};
  }

  std::shared_ptr<const config::Settings> settings_;
  metrics::Metrics& metrics_;
  const policies::Catalogue& catalogue_ = policies::Catalogue::builtin();
  access::ClientNames client_names_;
  credentials::Credentials credentials_;
  InForceHolder in_force_;
  cache::MemoryTier memory_;
  cache::Fence fence_;
  VaryNames vary_names_;
  Reporter reporter_;
  tracing::Tracer tracer_;
  Loop io_{1};
  asio::executor_work_guard<asio::io_context::executor_type> work_ = asio::make_work_guard(io_);
  MemoryGuard memory_guard_{io_, settings_->server.memory_limit, memory_};
  upstream::Client upstream_;
  std::atomic<bool> redis_up_{false};
  std::unique_ptr<redis::Client> redis_;
  std::unique_ptr<RedisChecks> redis_checks_;
  std::unique_ptr<credentials::OAuth> oauth_;  // null: none is configured
  std::unique_ptr<cache::SharedTier> tier_;
  cache::LocalTier* local_tier_ = nullptr;  // one of the two
  cache::RedisTier* redis_tier_ = nullptr;
  std::unique_ptr<cache::Writes> writes_;
  std::unique_ptr<limiter::Limiter> limiter_;
  std::unique_ptr<Attempts> attempts_;
  std::shared_ptr<idempotency::Claims> claims_;
  std::unique_ptr<Exchange> exchange_;
  std::unique_ptr<webhooks::Intake> webhooks_;
  std::unique_ptr<Calls> calls_;
  std::unique_ptr<Belonging> belonging_;
  std::unique_ptr<records::Records> records_;
  OwnPaths own_paths_{policies::Catalogue::own()};
  std::unique_ptr<flows::Engine> flows_;
  Published<limiter::LocationState> limits_;
  Published<CircuitState> circuits_;
  std::atomic<std::size_t> known_locations_{0};
  std::thread thread_;
};

Service::Service(std::shared_ptr<const config::Settings> settings, metrics::Metrics& metrics, admin::Admin& admin)
    : impl_(std::make_unique<Impl>(std::move(settings), metrics, admin)) {}
Service::~Service() = default;
server::HandlerFactory Service::handlers() { return impl_->handlers(); }
void Service::reload(std::shared_ptr<const config::Settings> settings) { impl_->reload(std::move(settings)); }
void Service::share_memory(bool with_another_process) { impl_->share_memory(with_another_process); }
const std::atomic<bool>& Service::memory_is_short() const { return impl_->memory_is_short(); }
State Service::state() const { return impl_->state(); }
void Service::end_streams() { impl_->end_streams(); }
void Service::start() { impl_->start(); }
void Service::stop() { impl_->stop(); }

}  // namespace gateway::exchange
