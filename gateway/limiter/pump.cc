// The limiter's waiting room: acquire()'s wait, and the pump that makes a location's steps.
#include <algorithm>
#include <asio/redirect_error.hpp>
#include <asio/this_coro.hpp>
#include <asio/use_awaitable.hpp>

#include "gateway/limiter/limiter_impl.h"
#include "gateway/log/log.h"

namespace gateway::limiter {

namespace {

std::chrono::steady_clock::time_point clock_time(Instant instant) {
  return std::chrono::steady_clock::time_point(instant);
}

// Even who will not wait (`Prefer: wait=0`) has the time of one step: a free slot has to be asked for.
constexpr Duration kOneStep = std::chrono::milliseconds(25);

// Steps of one location come no closer than this: slots that free a moment apart share a round trip, at no more than a
// thousandth of the window.
Duration least_spacing(const policies::RateLimit& limit) {
  return std::clamp<Duration>(limit.interval / 2000, std::chrono::microseconds(200), std::chrono::milliseconds(5));
}

}  // namespace

Ahead::~Ahead() {
  where->queue.leave(id);
  where->waiting.erase(id);
  if (flight != 0) where->flights.erase(flight);
  if (waiting->granted) self->give_back(where->name, *waiting->granted, {}, false);
}

// Null: the queue is full.
std::shared_ptr<Ahead> Limiter::Impl::join(const Shared& where, const PermitRequest& request, Instant since,
                                           Instant deadline) {
  const auto id = ++ids_;
  auto waiting = std::make_shared<Waiting>(asio::steady_timer(io_));
  waiting->deadline = deadline;
  const auto joined = where->queue.join({id, request.client, request.urgency, since}, since);
  if (!joined.queued) return nullptr;
  // However its holder ends, the queue forgets it, and a permit that it did not take goes back.
  auto place = std::make_shared<Ahead>(shared_from_this(), where, waiting, id);
  where->waiting.emplace(id, waiting);
  if (joined.displaced) {
    where->waiting.at(*joined.displaced)->refused =
        Refusal{RefusalReason::QueueFull, where->expected_wait(where->queue.size(), where->typical, since)};
    settle(*where, *joined.displaced);
  }
  kick(where);
  return place;
}

// Only where half of everything is left, so that nobody lacks what may come back unused.
std::shared_ptr<Ahead> Limiter::Impl::ask_ahead(const PermitRequest& request) {
  const auto found = locations_.find(request.location);
  if (stopped_ || found == locations_.end() || clients_.contains(request.client)) return nullptr;
  const auto& where = found->second;
  const auto at = now();
  const bool plenty = where->known && 2 * where->last.available > where->limit.requests &&
                      (where->quota.limit() == 0 || 2 * where->quota.remaining(at) > where->quota.limit());
  if (!plenty || !where->queue.empty() || where->probing || at < where->paused_until) return nullptr;
  if (request.urgency > policies::kLeastUrgent) return nullptr;  // those keep to a pace
  return join(where, request, at, at + options_.max_wait);
}

asio::awaitable<PermitOrRefusal> Limiter::Impl::wait(Shared where, PermitRequest request, Instant deadline) {
  const auto since = now();
  deadline = std::max(deadline, since + kOneStep);
  // One that was taken ahead may be another location's by now: a reload gave this one a token of its own.
  const bool ahead = request.ahead && request.ahead->where == where;
  const auto place = ahead ? std::move(request.ahead) : join(where, request, since, deadline);
  if (!place)
    co_return Refusal{RefusalReason::QueueFull, where->expected_wait(where->queue.size(), where->typical, since)};
  const auto& waiting = place->waiting;
  waiting->deadline = deadline;
  place->flight = request.flight;
  if (request.flight != 0) where->flights.insert_or_assign(request.flight, place->id);
  while (!waiting->granted && !waiting->refused && now() < waiting->deadline) {
    waiting->timer.expires_at(clock_time(waiting->deadline));
    asio::error_code woken;
    co_await waiting->timer.async_wait(asio::redirect_error(asio::use_awaitable, woken));
    // The caller's next await throws; a permit that came at this moment goes back unsent.
    if ((co_await asio::this_coro::cancellation_state).cancelled() != asio::cancellation_type::none)
      co_return Refusal{RefusalReason::Deadline, {}};
  }
  if (waiting->granted)
    co_return Permit(weak_from_this(), where->name, *std::exchange(waiting->granted, std::nullopt), now(),
                     now() - since);
  if (waiting->refused) co_return *waiting->refused;
  co_return Refusal{RefusalReason::Deadline, where->expected_wait(where->queue.size(), where->typical, now())};
}

void Limiter::Impl::settle(Location& location, std::uint64_t waiter) {
  if (const auto found = location.waiting.find(waiter); found != location.waiting.end()) found->second->timer.cancel();
}

Step Limiter::Impl::compose(Location& location, Instant at) {
  Step step = std::exchange(location.next, {});
  location.next.stated_daily_limit = step.stated_daily_limit;
  step.limit = location.limit;
  step.daily_limit = options_.daily;
  step.daily_background = location.quota.ceiling(policies::kLeastUrgent + 1);
  std::size_t asks = std::min<std::size_t>(location.queue.size(), location.limit.requests);
  if (location.probing) asks = std::min<std::size_t>(asks, location.in_flight == 0 ? 1 : 0);
  if (at < location.paused_until) asks = 0;
  while (step.asks.size() < asks) step.asks.push_back(++ids_);
  step.urgent = std::min(asks, location.queue.waiting(policies::kLeastUrgent));
  return step;
}

void Limiter::Impl::distribute(Location& location, const Step& step, const StepResult& result, Instant at) {
  location.last = result;
  location.last_at = at;
  location.known = true;
  location.in_vain = !step.asks.empty() && result.granted == 0;
  location.returning -= std::min(location.returning, step.unsent.size());
  if (result.paused > Duration{0}) location.paused_until = std::max(location.paused_until, at + result.paused);
  location.quota.set(result.daily_used, result.daily_reset, at);
  for (std::size_t i = 0; i < result.granted; ++i)
    hand_out(location, step.asks[i], result.daily_used + i + 1 - result.granted, at);
  refuse_beyond_quota(location, at);
  refuse_in_vain(location, at);
}

// What is learnt after somebody joined may show that no slot comes in its time. Looked at when the next slot has moved
// away by a tenth of the interval, so that not every step walks the queue.
void Limiter::Impl::refuse_in_vain(Location& location, Instant at) {
  const auto wait = location.expected_wait(0, {}, at);
  if (at + wait - location.judged <= location.limit.interval / 10) return;
  location.judged = at + wait;
  for (const auto& [id, waiting] : location.waiting) {
    if (waiting->granted || waiting->refused || waiting->deadline >= at + wait) continue;
    waiting->refused = Refusal{RefusalReason::WaitTooLong, location.expected_wait(0, location.typical, at)};
    waiting->timer.cancel();
  }
}

void Limiter::Impl::hand_out(Location& location, std::uint64_t permit, std::uint64_t used, Instant at) {
  while (const auto waiter = location.queue.pop(at)) {
    const auto waiting = location.waiting.at(waiter->id);
    if (location.quota.limit() > 0 && used > location.quota.ceiling(waiter->urgency)) {
      waiting->refused = Refusal{RefusalReason::DailyQuota, location.quota.until_reset(at)};
      settle(location, waiter->id);
      continue;
    }
    ++location.in_flight;
    waiting->granted = permit;
    settle(location, waiter->id);
    return;
  }
  location.next.unsent.push_back(permit);  // everybody left meanwhile
  ++location.returning;
}

void Limiter::Impl::refuse_beyond_quota(Location& location, Instant at) {
  if (const auto reset = location.quota.refusal(policies::kLeastUrgent + 1, at))
    for (const auto& waiter : location.queue.take_beyond(policies::kLeastUrgent)) {
      location.waiting.at(waiter.id)->refused = Refusal{RefusalReason::DailyQuota, *reset};
      settle(location, waiter.id);
    }
  while (const auto reset = location.quota.refusal(0, at)) {
    const auto waiter = location.queue.pop(at);
    if (!waiter) return;
    location.waiting.at(waiter->id)->refused = Refusal{RefusalReason::DailyQuota, *reset};
    settle(location, waiter->id);
  }
}

std::optional<Instant> Limiter::Impl::next_turn(const Location& location, Instant at) const {
  if (!location.known) return location.next.reports() || !location.queue.empty() ? std::optional(at) : std::nullopt;
  const auto spaced = location.last_at + least_spacing(location.limit);
  std::optional<Instant> turn;
  if (location.next.reports()) turn = spaced;
  // While probing, the next turn comes with the probe's answer or end, which kicks.
  if (location.queue.empty() || (location.probing && location.in_flight > 0)) return turn;
  // What a step with the same knowledge was not granted, the next one would not be at once.
  auto ask = location.in_vain ? spaced : at;
  if (location.queue.waiting(policies::kLeastUrgent) == 0) {
    if (location.last.next_background > Duration{0})
      ask = std::max(spaced, location.last_at + location.last.next_background);
  } else if (location.last.available == 0) {
    ask = std::max(spaced, location.last_at + location.last.next_free);
  }
  ask = std::max(ask, location.paused_until);
  return turn ? std::min(*turn, ask) : ask;
}

// Without a coroutine: a step that needs no round trip is a function call. What comes while one is under way is seen
// when it is over.
void Limiter::Impl::kick(const Shared& where) {
  while (!stopped_ && !where->stepping) {
    const auto at = now();
    const auto turn = next_turn(*where, at);
    if (!turn) return;
    if (*turn > at) return wake_at(where, *turn);
    const auto step = std::make_shared<const Step>(compose(*where, at));
    where->stepping = true;
    const auto result =
        store_->step(where->name, *step, [self = shared_from_this(), where, step](std::optional<StepResult> later) {
          where->stepping = false;
          if (!later) return log::error("limiter_step_failed");
          self->distribute(*where, *step, *later, now());
          self->kick(where);
        });
    if (!result) return;
    where->stepping = false;
    distribute(*where, *step, *result, now());
  }
}

// A timer set for an earlier moment stays: the turn is looked for again then.
void Limiter::Impl::wake_at(const Shared& where, Instant turn) {
  if (turn >= where->wakes_at) return;
  where->wakes_at = turn;
  where->wake.expires_at(clock_time(turn));
  where->wake.async_wait([weak = weak_from_this(), where](asio::error_code error) {
    if (error) return;
    where->wakes_at = Instant::max();
    if (const auto self = weak.lock()) self->kick(where);
  });
}

}  // namespace gateway::limiter
