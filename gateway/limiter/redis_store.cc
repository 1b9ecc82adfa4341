#include "gateway/limiter/redis_store.h"

#include <algorithm>
#include <asio/co_spawn.hpp>
#include <asio/detached.hpp>
#include <asio/io_context.hpp>
#include <utility>

#include "gateway/limiter/local_store.h"
#include "gateway/limiter/place.h"
#include "gateway/limiter/replica_link.h"
#include "gateway/limiter/scripts.h"
#include "gateway/limiter/step_words.h"
#include "gateway/log/log.h"

namespace gateway::limiter {

namespace {

constexpr Duration kLookAgain = std::chrono::milliseconds(100);      // alone: the cap grows, Redis comes back
constexpr Duration kPatience = std::chrono::milliseconds(250);       // before taking all of the share: losses are short
constexpr Duration kTryAgain = std::chrono::milliseconds(10);        // after a step without reply
constexpr Duration kReplyTooOld = std::chrono::milliseconds(250);    // this process was paused meanwhile
constexpr Duration kReservation = std::chrono::milliseconds(1'500);  // several renewals long

// What one script is told of at most, so that its time does not grow with the limit.
constexpr std::size_t kMostReports = 1'000, kMostSlots = 500;

void drop_front(std::vector<std::uint64_t>& ids, std::size_t count) {
  ids.erase(ids.begin(), ids.begin() + static_cast<std::ptrdiff_t>(count));
}

}  // namespace

class RedisStore::Impl : public std::enable_shared_from_this<Impl> {
 public:
  Impl(asio::io_context& io, redis::Client& redis, Options options)
      : redis_(redis),
        options_(std::move(options)),
        link_(std::make_shared<ReplicaLink>(
            io, redis, ReplicaLink::Options{options_.prefix, options_.lease, options_.quarantine},
            ReplicaLink::Events{[this] { on_lost(); }, [this] { return reserve(); }, [this] { return restore(); }})),
        started_(now()) {}

  void start() { link_->start(); }
  void stop() { link_->stop(); }

  static asio::awaitable<StepResult> step(std::shared_ptr<Impl> self, std::string location, Step step) {
    auto& link = *self->link_;
    const auto asked_at = now();
    auto place = self->place_of(location, step);
    self->report_to_mirror(*place, step);
    if (self->redis_.silent()) link.lose();
    if (link.state() == ReplicaLink::State::Shared) {
      if (place->epoch != link.nonce() && !co_await self->take_back(location, place, false))
        co_return self->unanswered(*place, step, asked_at);
      if (link.state() == ReplicaLink::State::Shared) co_return co_await self->shared_step(location, place, step);
    }
    if (link.state() == ReplicaLink::State::Quarantined && !self->reserved(*place) &&
        !co_await self->take_back(location, place, true))
      co_return self->unanswered(*place, step, asked_at);
    co_return self->alone(*place, step);
  }

  bool forget(const std::string& location) {
    const auto found = places_.find(location);
    if (found == places_.end()) return true;
    const bool alone = link_->state() != ReplicaLink::State::Shared;
    auto& place = *found->second;
    if (place.window.occupied(now()) > 0 || (alone && place.daily.used(now()) > 0) || place.counted_alone != 0 ||
        !place.ended.empty() || !place.unsent.empty())
      return false;
    places_.erase(found);
    return true;
  }

 private:
  using Held = std::shared_ptr<Place>;

  std::vector<std::string> keys(const std::string& location) const {
    return {options_.prefix + location + ":slots", options_.prefix + location + ":counted",
            options_.prefix + location + ":state", link_->epoch_key()};
  }

  std::vector<std::string> step_keys(const std::string& location) const {
    auto all = keys(location);
    all.push_back(link_->replicas_key());
    return all;
  }

  Held place_of(const std::string& location, const Step& step) {
    auto& found = places_[location];
    if (!found) {
      found = std::make_shared<Place>(step, options_.hold);
      set_lost(*found, {lost_at_, link_->replicas(), 0, 0});
    }
    return found;
  }

  // The mirror learns of ends at once; Redis, whenever it answers.
  void report_to_mirror(Place& place, const Step& step) {
    const auto at = now();
    if (step.limit != place.window.limit()) place.window.set_limit(step.limit);
    for (const auto id : step.ended) {
      place.window.ended(id, at);
      if (place.granted_shared.erase(id) > 0) place.ended.push_back(id);
    }
    for (const auto id : step.unsent) {
      place.window.unsent(id);
      place.daily.uncount();
      if (place.granted_shared.erase(id) > 0)
        place.unsent.push_back(id);
      else
        --place.counted_alone;
    }
    if (step.pause) place.window.pause_until(at + *step.pause);
  }

  // Whether our reservations surely stand: half their time is left for what is granted now to be written.
  bool reserved(const Place& place) const {
    return place.reserved_epoch == link_->nonce() && now() - place.reserved_at < kReservation / 2;
  }

  // Reservations that are young and enough need not be written again: there may be many locations.
  bool stands(Place& place) const {
    const auto at = now();
    return place.reserved_epoch == link_->nonce() && at - place.reserved_at < kReservation / 3 &&
           std::max(cap(place, at), place.window.occupied(at)) <= place.reservations;
  }

  StepResult nothing(Place& place) {
    StepResult result;
    result.next_free = result.next_background = result.all_free = kTryAgain;
    result.daily_used = place.daily.used(now());
    result.daily_reset = place.daily.until_reset(now());
    return result;
  }

  void on_lost() {
    lost_at_ = now();
    dials_failed_before_ = redis_.status().failed_dials;
    for (auto& [name, place] : places_) {
      const auto own = place->window.occupied(lost_at_);
      const bool recent = lost_at_ - place->taken_at < place->window.limit().interval;
      place->epoch.clear();
      set_lost(*place, {lost_at_, link_->replicas(), own, recent && place->taken > own ? place->taken - own : 0});
    }
  }

  static void set_lost(Place& place, const policies::LostWindow& lost) {
    place.lost = lost;
    place.at_once = policies::share_at_once(place.window.limit(), lost);
  }

  // More than a connection that broke and is dialled anew.
  bool gone(Instant at) const {
    return redis_.silent() || redis_.status().failed_dials != dials_failed_before_ || at - lost_at_ >= redis_.timeout();
  }
  // Not longer than what may be taken at once lasts.
  bool short_loss(const Place& place, Instant at) const {
    const auto patience = std::min(kPatience, place.window.limit().interval / 4);
    return link_->state() == ReplicaLink::State::Lost && at - lost_at_ < patience;
  }

  std::uint64_t cap(Place& place, Instant at) const {
    switch (link_->state()) {
      case ReplicaLink::State::Unmet:
        return at - started_ < options_.first_contact ? 0 : place.window.limit().requests;
      case ReplicaLink::State::Quarantined:
        if (link_->newborn()) return 0;
        break;
      case ReplicaLink::State::Lost:
      case ReplicaLink::State::Shared:
        break;
    }
    const auto share = policies::share_cap(place.window.limit(), options_.hold, place.lost, at);
    if (!short_loss(place, at)) return share;
    return std::min(share, place.window.occupied(at) + (gone(at) ? place.at_once : 0));
  }

  StepResult alone(Place& place, const Step& step) {
    const auto at = now();
    auto rest = step;
    rest.ended.clear();
    rest.unsent.clear();
    rest.pause.reset();
    place.window.set_cap(cap(place, at));
    auto result = apply(place.window, place.daily, place.pace, rest, at);
    place.window.set_cap(~std::uint64_t{0});
    place.counted_alone += static_cast<std::int64_t>(result.granted);
    if (result.granted > 0) link_->granted_alone();
    place.at_once -= std::min(place.at_once, result.granted);
    const auto look_again = short_loss(place, at) ? kTryAgain : kLookAgain;
    result.next_free = std::min(result.next_free, look_again);
    result.next_background = std::min(result.next_background, look_again);
    result.all_free = std::max(result.next_free, std::min(result.all_free, step.limit.interval));
    return result;
  }

  asio::awaitable<StepResult> shared_step(std::string location, Held place, Step step) {
    if (place->busy) co_return nothing(*place);
    const Turn turn(place);
    auto reports = step;
    reports.asks.clear();
    while (place->ended.size() > kMostReports || place->unsent.size() > kMostReports) {
      const auto result = co_await one_step(location, place, reports);
      if (!result) co_return nothing(*place);
    }
    const auto asked_at = now();
    if (const auto result = co_await one_step(location, place, step)) co_return *result;
    // Redis may have granted it all the same: what is not used goes back.
    const auto result = unanswered(*place, step, asked_at);
    const auto unused = step.asks.begin() + static_cast<std::ptrdiff_t>(result.granted);
    place->granted_shared.insert(step.asks.begin(), unused);
    // A Redis that stood still has counted these by the time it is told of them.
    if (redis_.silent()) place->counted_alone -= static_cast<std::int64_t>(result.granted);
    place->unsent.insert(place->unsent.end(), unused, step.asks.end());
    co_return result;
  }

  // Whoever waits has waited for Redis as long as anybody should. A process that was itself paused hears Redis first.
  StepResult unanswered(Place& place, const Step& step, Instant asked_at) {
    if (redis_.silent() && now() - asked_at <= kReplyTooOld) link_->lose();
    return link_->state() == ReplicaLink::State::Lost ? alone(place, step) : nothing(place);
  }

  // One script: the oldest of what there is to report, and what is asked.
  asio::awaitable<std::optional<StepResult>> one_step(std::string location, Held place, Step step) {
    const auto asked_at = now();
    const auto ended = std::min(place->ended.size(), kMostReports),
               unsent = std::min(place->unsent.size(), kMostReports);
    const auto reply = numbers(co_await redis_.eval(
        scripts().step, step_keys(location),
        step_arguments({link_->nonce(), link_->replica(), options_.hold + kReplyTooOld}, *place, step, ended, unsent)));
    if (!reply || reply->size() != 9) {
      if (reply)
        link_->displaced();
      else
        link_->failed();
      co_return std::nullopt;
    }
    link_->answered(static_cast<std::uint64_t>(reply->back()));
    drop_front(place->ended, ended);
    drop_front(place->unsent, unsent);
    co_return settle(*place, step, *reply, asked_at);
  }

  StepResult settle(Place& place, const Step& step, const std::vector<std::int64_t>& reply, Instant asked_at) {
    const auto at = now();
    StepResult result;
    result.granted = std::min(static_cast<std::size_t>(std::max<std::int64_t>(reply[0], 0)), step.asks.size());
    place.taken = static_cast<std::uint64_t>(reply[1]);
    place.taken_at = at;
    if (at - asked_at > kReplyTooOld) {
      place.unsent.insert(place.unsent.end(), step.asks.begin(),
                          step.asks.begin() + static_cast<std::ptrdiff_t>(result.granted));
      result.granted = 0;
    }
    for (std::size_t i = 0; i < result.granted; ++i) {
      place.window.record(step.asks[i], at);
      place.granted_shared.insert(step.asks[i]);
    }
    result.available = place.taken < step.limit.requests ? step.limit.requests - place.taken : 0;
    result.next_free = Duration(reply[2]);
    result.all_free = Duration(reply[3]);
    result.paused = Duration(reply[4]);
    result.daily_used = static_cast<std::uint64_t>(reply[5]);
    result.daily_reset = Duration(reply[6]);
    result.next_background = Duration(reply[7]);
    place.daily.set(result.daily_used, result.daily_reset, at);
    return result;
  }

  // Writes our slots to Redis, the oldest first; under quarantine, reservations for as many as we hold or may still
  // take under the cap. False: not now (one is under way, or there was no reply).
  asio::awaitable<bool> take_back(std::string location, Held place, bool reserve) {
    if (place->busy) co_return false;
    const Turn turn(place);
    const auto started = now();
    const auto epoch = link_->nonce();
    const auto held = place->window.occupied(started);
    const auto reservations = reserve ? std::max(cap(*place, started), held) : 0;
    const auto ended = place->ended.size();
    // Reservations stand for the slots held too: those come and go meanwhile.
    auto slots = reserve ? std::vector<std::string>() : slots_of(*place, started);
    for (; slots.size() > 2 * kMostSlots; slots.erase(slots.begin(), slots.begin() + 2 * kMostSlots))
      if (!co_await write(location, place, started, "-1", {slots.begin(), slots.begin() + 2 * kMostSlots}))
        co_return false;
    if (!co_await write(location, place, started, text(reservations), std::move(slots))) co_return false;
    if (!reserve) drop_front(place->ended, ended);
    place->counted_alone -= std::exchange(place->reported, 0);
    place->reservations = reservations;
    (reserve ? place->reserved_epoch : place->epoch) = epoch;
    if (reserve) place->reserved_at = started;
    co_return true;
  }

  // One script of take_back. `reservations` -1: they stay as they are, and so does the day's count.
  asio::awaitable<bool> write(std::string location, Held place, Instant started, std::string reservations,
                              std::vector<std::string> slots) {
    const bool last = reservations != "-1";
    if (last && place->reported == 0 && place->counted_alone != 0) {
      place->reported = place->counted_alone;
      place->report = ++reports_;
    }
    std::vector<std::string> all{link_->nonce(),
                                 link_->replica(),
                                 text(options_.hold + place->window.limit().interval),
                                 text(kReservation),
                                 std::move(reservations),
                                 last ? text(place->daily.used(started)) : "0",
                                 last ? std::to_string(place->reported) : "0",
                                 text(place->daily.until_reset(started)),
                                 text(place->report)};
    std::move(slots.begin(), slots.end(), std::back_inserter(all));
    const auto reply = numbers(co_await redis_.eval(scripts().take_back, keys(location), std::move(all)));
    const auto said = reply && !reply->empty() ? reply->front() : -1;
    if (!reply)
      link_->failed();
    else if (said == 2)
      link_->quarantine_over();
    else if (said != 1)
      link_->displaced();
    co_return said == 1;
  }

  // Pairs of id and time left.
  std::vector<std::string> slots_of(Place& place, Instant at) const {
    std::vector<std::string> all;
    // Ended while Redis was away: free by now unless the mirror still says otherwise.
    for (const auto id : place.ended) all.insert(all.end(), {text(id), "0"});
    place.window.each_slot(at, [&](std::uint64_t id, Instant free_at) {
      if (id == 0) return;  // somebody else's: not ours to bring
      all.insert(all.end(), {text(id), text(free_at - at)});
      if (place.window.under_way(id)) place.granted_shared.insert(id);
    });
    return all;
  }

  asio::awaitable<bool> reserve() {
    auto self = shared_from_this();
    std::vector<std::pair<std::string, Held>> all(places_.begin(), places_.end());
    for (auto& [location, place] : all)
      if (!stands(*place) && !co_await take_back(location, place, true)) co_return false;
    co_return true;
  }

  // Of locations, too, that nobody asks for now: the reservations do not last as long as what they stood for.
  asio::awaitable<bool> restore() {
    auto self = shared_from_this();
    std::vector<std::pair<std::string, Held>> all(places_.begin(), places_.end());
    for (auto& [location, place] : all)
      if (place->epoch != link_->nonce() && !co_await take_back(location, place, false)) co_return false;
    co_return true;
  }

  redis::Client& redis_;
  Options options_;
  std::shared_ptr<ReplicaLink> link_;
  std::unordered_map<std::string, Held> places_;
  Instant started_;
  Instant lost_at_{0};
  std::uint64_t dials_failed_before_ = 0;
  std::uint64_t reports_ = 0;
};

RedisStore::RedisStore(asio::io_context& io, redis::Client& redis, Options options)
    : io_(io), impl_(std::make_shared<Impl>(io, redis, std::move(options))) {}
RedisStore::~RedisStore() { impl_->stop(); }
void RedisStore::start() { impl_->start(); }
void RedisStore::stop() { impl_->stop(); }
std::optional<StepResult> RedisStore::step(const std::string& location, const Step& step, Later later) {
  asio::co_spawn(io_, Impl::step(impl_, location, step),
                 [later = std::move(later)](const std::exception_ptr& thrown, StepResult result) {
                   later(thrown ? std::nullopt : std::optional(result));
                 });
  return std::nullopt;
}
bool RedisStore::forget(const std::string& location) { return impl_->forget(location); }

}  // namespace gateway::limiter
