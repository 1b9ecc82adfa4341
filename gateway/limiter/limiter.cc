#include "gateway/limiter/limiter.h"

#include <algorithm>
#include <asio/co_spawn.hpp>
#include <asio/detached.hpp>
#include <asio/redirect_error.hpp>
#include <asio/use_awaitable.hpp>

#include "gateway/clock.h"
#include "gateway/limiter/limiter_impl.h"
#include "gateway/limiter/local_store.h"
#include "gateway/limiter/redis_store.h"

namespace gateway::limiter {

namespace {

std::unique_ptr<Store> make_store(asio::io_context& io, const Options& options, redis::Client* redis) {
  if (redis)
    return std::make_unique<RedisStore>(
        io, *redis, RedisStore::Options{.hold = options.upstream_timeout, .quarantine = options.quarantine});
  return std::make_unique<LocalStore>(options.upstream_timeout);
}

}  // namespace

Limiter::Limiter(asio::io_context& io, Options options, redis::Client* redis) {
  auto store = make_store(io, options, redis);
  impl_ = std::make_shared<Impl>(io, std::move(options), std::move(store));
}
Limiter::~Limiter() { impl_->stop(); }
void Limiter::start() { impl_->start(); }
void Limiter::reconfigure(Options options) { impl_->reconfigure(std::move(options)); }
void Limiter::stop() { impl_->stop(); }
asio::awaitable<PermitOrRefusal> Limiter::acquire(PermitRequest request) {
  return Impl::acquire(impl_, std::move(request));
}
std::optional<Refusal> Limiter::refusal(const PermitRequest& request) { return impl_->refusal(request); }
std::shared_ptr<Ahead> Limiter::ask_ahead(const PermitRequest& request) { return impl_->ask_ahead(request); }
void Limiter::improve(const std::string& location, std::uint64_t flight, int urgency,
                      std::chrono::milliseconds max_wait) {
  impl_->improve(location, flight, urgency, max_wait);
}
Duration Limiter::observe(const std::string& location, int status, const policies::Fields& fields) {
  return impl_->observe(location, status, fields);
}
Budget Limiter::budget(const std::string& location) const { return impl_->budget(location); }
std::vector<LocationState> Limiter::snapshot() const { return impl_->snapshot(); }

Limiter::Impl::Impl(asio::io_context& io, Options options, std::unique_ptr<Store> store)
    : io_(io), options_(std::move(options)), store_(std::move(store)), sweep_timer_(io) {
  set_client_rates(options_.client_rates);
}

void Limiter::Impl::set_client_rates(const std::vector<double>& rates) {
  clients_.clear();
  for (std::uint32_t client = 0; client < rates.size(); ++client)
    if (rates[client] > 0) clients_.emplace(client, policies::ClientRate(rates[client]));
}

void Limiter::Impl::reconfigure(Options options) {
  if (options.client_rates != options_.client_rates) set_client_rates(options.client_rates);
  options_ = std::move(options);
  for (auto& [name, each] : locations_) {
    each->limit = options_.limit;  // what an answer states beside it counts again with the next answer
    each->queue.set_most(options_.queue);
    each->quota.configure({options_.daily, options_.daily_reserve});
    kick(each);
  }
}

void Limiter::Impl::start() {
  store_->start();
  asio::co_spawn(
      io_, [self = shared_from_this()] { return self->sweep(); }, asio::detached);
}

void Limiter::Impl::stop() {
  stopped_ = true;
  sweep_timer_.cancel();
  store_->stop();
  for (auto& [name, each] : locations_) each->wake.cancel();
}

Limiter::Impl::Shared Limiter::Impl::location(const std::string& name) {
  auto& found = locations_[name];
  if (!found) {
    found = std::make_shared<Location>(asio::steady_timer(io_), policies::FairQueue::Options{.most = options_.queue},
                                       policies::DailyQuota::Options{options_.daily, options_.daily_reserve});
    found->name = name;
    found->limit = options_.limit;
  }
  found->used_at = now();
  return found;
}

std::optional<Refusal> Limiter::Impl::refusal_at_once(Location& location, const PermitRequest& request,
                                                      Duration max_wait, Instant at) {
  if (const auto reset = location.quota.refusal(request.urgency, at)) return Refusal{RefusalReason::DailyQuota, *reset};
  const auto ahead = location.queue.ahead(request.client, request.urgency, at);
  const auto paced = request.urgency > policies::kLeastUrgent ? location.paced_wait(ahead, at) : Duration{0};
  if (std::max(paced, location.expected_wait(ahead, {}, at)) > max_wait)
    return Refusal{RefusalReason::WaitTooLong, std::max(paced, location.expected_wait(ahead, location.typical, at))};
  return std::nullopt;
}

std::optional<Refusal> Limiter::Impl::refusal(const PermitRequest& request) {
  const auto found = locations_.find(request.location);
  if (found == locations_.end()) return std::nullopt;
  return refusal_at_once(*found->second, request, wait_of(request), now());
}

Duration Limiter::Impl::wait_of(const PermitRequest& request) const {
  if (request.max_wait < std::chrono::milliseconds{0}) return options_.max_wait;
  return std::min<Duration>(options_.max_wait, request.max_wait);
}

asio::awaitable<std::optional<Refusal>> Limiter::Impl::own_rate(policies::ClientRate& rate, Instant deadline) {
  const auto at = now();
  const auto wait = rate.reserve(at, std::max(Duration{0}, deadline - at));
  if (!wait) co_return Refusal{RefusalReason::ClientRate, rate.wait_for(at)};
  asio::steady_timer turn(io_, *wait);
  if (*wait > Duration{0}) co_await turn.async_wait(asio::use_awaitable);
  co_return std::nullopt;
}

// `self` outlives a limiter that goes while somebody waits.
asio::awaitable<PermitOrRefusal> Limiter::Impl::acquire(std::shared_ptr<Impl> self, PermitRequest request) {
  const auto since = now();
  const auto max_wait = self->wait_of(request);
  if (const auto rate = self->clients_.find(request.client); !request.retry && rate != self->clients_.end())
    if (auto refusal = co_await self->own_rate(rate->second, since + max_wait)) co_return *refusal;
  auto at = self->location(request.location);
  if (auto refusal = self->refusal_at_once(*at, request, std::max(Duration{0}, since + max_wait - now()), now()))
    co_return *refusal;
  co_return co_await self->wait(std::move(at), std::move(request), since + max_wait);
}

void Limiter::Impl::improve(const std::string& name, std::uint64_t flight, int urgency, Duration max_wait) {
  const auto found = locations_.find(name);
  if (found == locations_.end()) return;
  auto& location = *found->second;
  const auto waiter = location.flights.find(flight);
  if (waiter == location.flights.end()) return;
  auto& waiting = *location.waiting.at(waiter->second);
  const auto at = now();
  const Duration patience =
      max_wait < Duration{0} ? options_.max_wait : std::min<Duration>(max_wait, options_.max_wait);
  waiting.deadline = std::max(waiting.deadline, at + patience);
  location.queue.improve(waiter->second, urgency, at);
  waiting.timer.cancel();  // it waits on to the later deadline
}

Duration Limiter::Impl::observe(const std::string& name, int status, const policies::Fields& fields) {
  const auto at = now();
  auto where = location(name);
  const auto wall = wall_now();
  const auto stated = policies::parse_stated_limits(fields, wall);
  where->learn(stated, options_.limit, at);
  Duration pause{0};
  if (status == 429) {
    if (at >= where->paused_until) ++where->refused_in_a_row;
    const auto asked = fields.find("Retry-After");
    const auto retry_after =
        asked ? policies::parse_retry_after(*asked, std::chrono::floor<std::chrono::seconds>(wall)) : std::nullopt;
    pause = policies::pause_after_429(options_.backoff, retry_after, stated.interval, where->refused_in_a_row,
                                      std::uniform_real_distribution<double>(0, 1)(random_));
    where->paused_until = std::max(where->paused_until, at + pause);
    where->next.pause = std::max(where->next.pause.value_or(pause), pause);
    where->probing = true;
  } else if (where->probing && at >= where->paused_until) {
    where->probing = false;
    where->refused_in_a_row = 0;
  }
  kick(where);
  return pause;
}

void Limiter::Impl::give_back(const std::string& name, std::uint64_t id, Duration held, bool sent) {
  auto where = location(name);
  if (where->in_flight > 0) --where->in_flight;
  (sent ? where->next.ended : where->next.unsent).push_back(id);
  if (!sent) ++where->returning;
  if (sent) where->typical = where->typical == Duration{0} ? held : (7 * where->typical + held) / 8;
  kick(where);
}

Budget Limiter::Impl::budget(const std::string& name) const {
  const auto found = locations_.find(name);
  if (found == locations_.end())
    return {options_.limit, options_.limit.requests, {}, options_.daily, options_.daily, {}};
  return budget(*found->second);
}

Budget Limiter::Impl::budget(Location& location) const {
  const auto at = now();
  const bool fresh = location.known && at - location.last_at < location.limit.interval;
  Budget budget{location.limit,
                fresh ? location.last.available : location.limit.requests,
                {},
                location.quota.limit(),
                location.quota.remaining(at),
                location.quota.until_reset(at)};
  if (location.paused_until > at) budget.remaining = 0;
  if (fresh)
    budget.until_more = std::max(location.paused_until - at,
                                 std::max(location.last.next_free, location.last.all_free) - (at - location.last_at));
  budget.until_more = std::max(budget.until_more, Duration{0});
  return budget;
}

std::vector<LocationState> Limiter::Impl::snapshot() const {
  std::vector<LocationState> states;
  const auto at = now();
  for (const auto& [name, each] : locations_)
    states.push_back(
        {name, each->queue.size(), each->in_flight, budget(*each), std::max(Duration{0}, each->paused_until - at)});
  return states;
}

asio::awaitable<void> Limiter::Impl::sweep() {
  constexpr auto kEvery = std::chrono::seconds(1);
  constexpr auto kIdle = std::chrono::seconds(60);
  while (!stopped_) {
    const auto at = now();
    std::erase_if(locations_, [&](const auto& entry) {
      const auto& each = *entry.second;
      const bool busy = each.busy() || each.paused_until > at;
      const bool due = locations_.size() > options_.locations || at - each.used_at > kIdle;
      return !busy && due && store_->forget(entry.first);
    });
    sweep_timer_.expires_after(kEvery);
    asio::error_code ignored;
    co_await sweep_timer_.async_wait(asio::redirect_error(asio::use_awaitable, ignored));
  }
}

}  // namespace gateway::limiter
