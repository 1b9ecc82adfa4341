#include "gateway/exchange/exchange.h"

#include <asio/bind_cancellation_slot.hpp>
#include <asio/co_spawn.hpp>
#include <asio/post.hpp>
#include <asio/this_coro.hpp>
#include <utility>

#include "gateway/exchange/answer.h"
#include "gateway/exchange/belonging.h"
#include "gateway/log/failure.h"
#include "gateway/random.h"
#include "policies/passthrough.h"
#include "policies/surrogate_keys.h"

namespace gateway::exchange {

using log::logged_unless_cancelled;
using metrics::CacheResult;
using metrics::Tier;

namespace {
// A write with an Idempotency-Key may be refused only if no earlier process that worked on its key can have sent it.
bool may_be_refused(const Request& write) {
  return !write.claim || (!write.claim->doubtful() && !write.claim->learned());
}

policies::WallTime wall_clock() { return std::chrono::time_point_cast<milliseconds>(std::chrono::system_clock::now()); }
}  // namespace

void Exchange::hand_over(RequestPtr request) {
  const bool writes = request->operation->kind == policies::Kind::Write;
  request->reply->on_hang_up([this, weak = std::weak_ptr<Request>(request)] {
    asio::post(parts_.io, [weak] {
      const auto left = weak.lock();
      if (!left) return;
      left->left = true;
      left->cancel.emit(asio::cancellation_type::terminal);
    });
  });
  asio::post(parts_.io, [this, request = std::move(request), writes] {
    if (writes)
      asio::co_spawn(parts_.io, serve(request, nullptr), logged_unless_cancelled("exchange_failed"));
    else if (!look_up_first(request))
      spawn(request, nullptr);
  });
}

void Exchange::spawn(const RequestPtr& request, LookedPtr looked) {
  asio::co_spawn(parts_.io, serve(request, std::move(looked)),
                 asio::bind_cancellation_slot(request->cancel.slot(), logged_unless_cancelled("exchange_failed")));
}

// The phases of a request behind the worker, as README's "Life of a request" names them.
asio::awaitable<Exchange::Answer> Exchange::answer(RequestPtr request, LookedPtr looked) {
  if (!request->to_prove.empty()) {
    if (auto no = co_await prove_(*request)) co_return not_proven(std::move(*no));
  }
  if (request->operation->kind == policies::Kind::Write) co_return co_await write(request);
  if (request->key.empty()) co_return co_await bypass(request);
  co_return co_await read(request, std::move(looked));
}

asio::awaitable<void> Exchange::serve(RequestPtr request, LookedPtr looked) {
  Answer answer;
  try {
    answer = co_await this->answer(request, std::move(looked));
  } catch (const asio::system_error& problem) {
    if (problem.code() != asio::error::operation_aborted) throw;
    answer.response.status = 499;  // the client left; nobody reads it, the log does
    answer.refusal = "client-left";
  }
  complete(*request, answer);
  const int code = answer.response.status;
  request->reply->send(std::move(answer.response));
  parts_.reporter.finished({.operation = request->operation,
                            .method = request->method,
                            .status = code,
                            .client = request->client,
                            .location = request->location,
                            .id = request->id,
                            .result = answer.result,
                            .tier = answer.tier,
                            .refusal = answer.refusal,
                            .started = request->started,
                            .waited = answer.waited,
                            .trace = request->trace.get()});
}

asio::awaitable<server::Response> Exchange::call(RequestPtr request) {
  auto answer = co_await this->answer(request, nullptr);
  complete(*request, answer);
  co_return std::move(answer.response);
}

asio::awaitable<Exchange::Answer> Exchange::read(RequestPtr request, LookedPtr looked) {
  constexpr int kRounds = 4;  // a flight may be lost, or bring another representation than ours; then it is asked anew
  for (int round = 0; round < kRounds; ++round) {
    if (round > 0 || !looked) {
      looked = std::make_shared<Looked>();
      // Before the lookup: what is invalidated from here on is seen.
      looked->guard = parts_.fence.guard(request->surrogate_keys);
      looked->found = co_await look_up(request);
      looked->candidate = candidate_of(*request, looked->found, looked->guard);
    }
    auto& [guard, found, candidate] = *looked;
    Claim claim(*this, request->key, found.claimed);
    if (candidate)
      if (auto answer = from_cache(request, candidate, found.entry ? Tier::Redis : Tier::Memory))
        co_return std::move(*answer);
    if (request->directives.only_if_cached) co_return refused({Refusal::OnlyIfCached, {}, {}});
    const auto why = why_forwarded(*request, candidate);

    auto boarded = flights_.board(request->key, found.view, guard);
    if (boarded.leads) {
      claim.held = false;  // the flight's now
      take_off(request, boarded.flight, std::move(found), candidate);
    } else {
      claim.give_up();  // before waiting: the flight itself may be waiting for it
      request->ahead = nullptr;
      if (boarded.flight->on_urgency) boarded.flight->on_urgency(*request);
    }
    const auto fetched = co_await flights_.wait(boarded.flight);
    if (!fetched) continue;  // the fetch was lost
    if (may_stand_in(*request, candidate, *fetched))
      co_return answer_of(*request, candidate, CacheResult::Stale, "stale-if-error");
    if (fetched->refused) co_return refused(*fetched->refused, fetched->sent ? why : policies::Forward::None);
    if (!boarded.leads && fetched->variant != variant_of(*request, fetched->response))
      continue;  // another representation than ours
    co_return answer_of(*request, *fetched, !boarded.leads, why);
  }
  co_return co_await bypass(request);
}

// The entry that a read may be answered with as far as coherence goes; freshness is judged after.
Exchange::EntryPtr Exchange::candidate_of(const Request& request, cache::Found& found, const cache::Guard& guard) {
  if (found.entry) {
    auto entry = entry_of(std::move(*found.entry), guard, found.now);
    parts_.memory.put(request.key, entry);
    return entry;
  }
  const auto kept = parts_.memory.find(request.key);
  if (kept && parts_.fence.held(cache::boottime()) && kept->intact(parts_.fence)) return kept;
  return nullptr;
}

std::optional<Exchange::Answer> Exchange::from_cache(const RequestPtr& request, const EntryPtr& entry, Tier tier) {
  const auto decision = entry->decision(cache::boottime(), request->directives);
  if (decision.action == policies::Action::Fetch || decision.action == policies::Action::OnlyIfCachedMiss ||
      decision.action == policies::Action::Bypass)
    return std::nullopt;
  const bool fresh = decision.action == policies::Action::ServeFresh;
  if (decision.action == policies::Action::ServeStaleWhileRevalidate) refresh(std::make_shared<Request>(*request));
  auto answer = answer_of(*request, entry, fresh ? CacheResult::Hit : CacheResult::Stale,
                          fresh ? "" : policies::to_string(decision.action));
  answer.tier = tier;
  return answer;
}

// Upstream failed, and the entry may be served instead; never one that was invalidated meanwhile.
bool Exchange::may_stand_in(const Request& request, const EntryPtr& entry, const Fetched& fetched) const {
  const bool failed =
      fetched.refused ? is_upstreams(fetched.refused->refusal) : policies::is_failure(fetched.upstream_status);
  if (!entry || !failed) return false;
  return entry->intact(parts_.fence) &&
         policies::may_serve_on_error(entry->lifetimes(), cache::boottime() - entry->received, request.directives);
}

void Exchange::Claim::give_up() {
  if (!std::exchange(held, false)) return;
  asio::co_spawn(exchange.parts_.io, exchange.parts_.tier.finish(key, {}, nullptr),
                 logged_unless_cancelled("claim_not_given_up"));
}

void Exchange::take_off(RequestPtr request, Flights::FlightPtr flight, cache::Found found, EntryPtr candidate) {
  auto slot = flight->slot();
  request->flight = random_id();
  request->sent = false;
  flight->leader = request;
  flight->on_urgency = [this, request](const Request& joined) {
    // The shared request waits and is tried for as long as the most patient of those who joined it would.
    const bool longer = request->wait && patience_of(joined) > patience_of(*request);
    if (longer && !joined.wait) request->wait.reset();
    if (longer && joined.wait)
      request->wait = std::chrono::ceil<milliseconds>(joined.started + *joined.wait - request->started);
    if (longer || joined.urgency < request->urgency) parts_.attempts.improve(*request, joined.urgency, joined.wait);
  };
  asio::co_spawn(parts_.io, fly(std::move(request), std::move(flight), std::move(found), std::move(candidate)),
                 asio::bind_cancellation_slot(slot, logged_unless_cancelled("fetch_failed")));
}

Exchange::SteadyClock::time_point Exchange::patience_of(const Request& request) const {
  const auto deadline = parts_.attempts.deadline_of(request);
  return request.wait ? std::min(deadline, request.started + *request.wait) : deadline;
}

// A flight lands whatever happens, and another replica that waits for it is told: by the destructor where the fetch is
// cancelled or throws. Those who wait here are answered first.
struct Exchange::Landing {
  Exchange& exchange;
  std::string key;
  Flights::FlightPtr flight;
  cache::Found found;
  Arrival arrival;
  ~Landing() {
    auto& parts = exchange.parts_;
    exchange.flights_.land(key, flight, arrival.fetched);
    if (!parts.tier.stores()) return;
    asio::post(parts.io,
               [&parts, key = std::move(key), found = std::move(found), stored = std::move(arrival.stored)]() mutable {
                 asio::co_spawn(parts.io, parts.tier.finish(std::move(key), std::move(found), std::move(stored)),
                                logged_unless_cancelled("store_failed"));
               });
  }
};

asio::awaitable<void> Exchange::fly(RequestPtr request, Flights::FlightPtr flight, cache::Found found,
                                    EntryPtr candidate) {
  Landing landing{*this, request->key, flight, std::move(found), {}};
  auto guard = flight->guard();
  auto looked_up = cache::boottime();
  // Another replica fetches this very state. It may be waiting for a permit for somebody less urgent, so this request
  // waits for it no longer than it would for a permit of its own.
  const auto patience = patience_of(*request);
  for (auto left = patience - SteadyClock::now(); !landing.found.leads && left.count() > 0;
       left = patience - SteadyClock::now()) {
    co_await parts_.tier.wait_for_other(request->key,
                                        std::min<milliseconds>(std::chrono::seconds(1), ceil<milliseconds>(left)));
    guard = parts_.fence.guard(request->surrogate_keys);
    landing.found = co_await look_up(request);
    looked_up = cache::boottime();
    const auto entry = candidate_of(*request, landing.found, guard);
    if (!entry || entry->decision(looked_up, request->directives).action != policies::Action::ServeFresh) continue;
    landing.arrival.fetched = fetched_elsewhere(*request, entry);
    co_return;
  }
  landing.arrival = co_await fetch(request, guard, landing.found, looked_up, candidate);
}

std::shared_ptr<const Exchange::Fetched> Exchange::fetched_elsewhere(const Request& request, const EntryPtr& entry) {
  auto fetched = std::make_shared<Fetched>();
  fetched->entry = entry;
  fetched->response = response_of(entry);
  fetched->upstream_status = entry->status();
  fetched->from_other_replica = true;
  fetched->variant = variant_of(request, fetched->response);
  return fetched;
}

asio::awaitable<Exchange::Arrival> Exchange::fetch(RequestPtr request, cache::Guard guard, cache::Found found,
                                                   milliseconds looked_up, EntryPtr candidate) {
  const auto requested = wall_clock();
  auto attempted = co_await parts_.attempts.run(request, candidate ? validators_of(*candidate) : policies::Fields{});
  auto fetched = std::make_shared<Fetched>();
  fetched->waited = attempted.waited;
  fetched->sent = attempted.sent;
  if (auto* why = std::get_if<Refused>(&attempted.result)) {
    fetched->refused = std::move(*why);
    co_return Arrival{fetched, nullptr};
  }
  auto& answer = std::get<upstream::Response>(attempted.result);
  if (is_anothers(*request, answer)) {
    fetched->refused = Refused{Refusal::Forbidden, std::string(kOtherLocation), {}};
    co_return Arrival{fetched, nullptr};
  }
  fetched->upstream_status = answer.status;
  fetched->revalidated = answer.status == 304 && candidate;
  if (fetched->revalidated) answer = renewed(*candidate, answer);
  auto kept = keep(*request, std::move(answer), parts_.times[request->operation->index], guard,
                   {requested, wall_clock(), cache::boottime()}, parts_.vary_names);
  fetched->response = std::move(kept.response);
  fetched->variant = variant_of(*request, fetched->response);
  // Rule 2: not stored at all when a mark was seen, or when the shared tier did not say what the state was.
  if (!kept.entry || !found.available || !policies::coherence::may_store(found.view))
    co_return Arrival{fetched, nullptr};
  fetched->entry = kept.entry;
  fetched->stored = parts_.memory.put(kept.key, kept.entry);
  // Under another key than the one looked up (the answer varies on more than was known) only memory keeps it: the next
  // lookup will ask for that.
  if (kept.key != request->key || !parts_.tier.stores()) co_return Arrival{fetched, nullptr};
  fetched->stored = true;
  co_return Arrival{fetched, stored_entry_of(kept, request->surrogate_keys, found, looked_up)};
}

void Exchange::refresh(RequestPtr request) {
  request->urgency = 7;  // nobody waits for it
  asio::post(parts_.io, [this, request = std::move(request)] {
    if (!refreshing_.insert(request->key).second) return;
    asio::co_spawn(parts_.io, refresh_once(request), [this, key = request->key](std::exception_ptr error) {
      refreshing_.erase(key);
      logged_unless_cancelled("refresh_failed")(error);
    });
  });
}

asio::awaitable<void> Exchange::refresh_once(RequestPtr request) {
  const auto guard = parts_.fence.guard(request->surrogate_keys);
  auto found = co_await look_up(request);
  Claim claim(*this, request->key, found.claimed);
  const auto candidate = candidate_of(*request, found, guard);
  if (candidate && candidate->decision(cache::boottime(), request->directives).action == policies::Action::ServeFresh)
    co_return;  // another replica was quicker
  auto boarded = flights_.board(request->key, found.view, guard);
  if (boarded.leads) {
    claim.held = false;
    take_off(request, boarded.flight, std::move(found), candidate);
  } else {
    claim.give_up();
  }
  co_await flights_.wait(boarded.flight);
}

// The span of a step that asks Redis. Without Redis there is no such step and no span.
tracing::Scope Exchange::redis_span(const Request& request, std::string_view step) const {
  const bool asks = !parts_.settings->redis.url.empty();
  return tracing::Scope(asks ? request.trace : nullptr, "redis", tracing::Kind::Client,
                        {{"db.system.name", "redis"}, {"db.operation.name", step}});
}

asio::awaitable<cache::Found> Exchange::look_up(RequestPtr request) {
  auto span = redis_span(*request, "look-up");
  auto found = co_await parts_.tier.look_up(request->key, request->surrogate_keys);
  if (!found.available) span.fail();
  co_return found;
}

asio::awaitable<std::shared_ptr<cache::Writes::Ticket>> Exchange::begin_write(RequestPtr request) {
  const auto span = redis_span(*request, "begin-write");
  co_return co_await parts_.writes.begin(write_keys(*request, request->surrogate_keys));
}

asio::awaitable<Exchange::Answer> Exchange::bypass(RequestPtr request) {
  auto attempted = co_await parts_.attempts.run(request, {});
  if (const auto* got = std::get_if<upstream::Response>(&attempted.result); got && is_anothers(*request, *got))
    attempted.result = Refused{Refusal::Forbidden, std::string(kOtherLocation), {}};
  const bool sent = attempted.sent;
  auto answer = passed_on(std::move(attempted));
  // An answer to HEAD has no body, and must not get a Content-Length of 0: the upstream's own says what GET would
  // bring.
  if (request->method == "HEAD" && answer.response.body && answer.response.body->empty())
    answer.response.body = nullptr;
  answer.status.forward = sent ? policies::Forward::Bypass : policies::Forward::None;
  co_return answer;
}

asio::awaitable<Exchange::Answer> Exchange::write(RequestPtr request) {
  if (request->method == "POST" && request->fields.find("Idempotency-Key")) co_return co_await keyed_write(request);
  co_return co_await fenced_write(request);
}

asio::awaitable<Exchange::Answer> Exchange::fenced_write(RequestPtr request) {
  using Outcome = cache::Writes::Outcome;
  // A write that is surely not sent makes nothing stale: the entries go on standing in for an upstream that is away.
  if (const auto why = parts_.attempts.sure_refusal(*request); why && may_be_refused(*request)) {
    if (request->claim) co_await request->claim->not_applied(), co_await request->claim->conclude();
    co_return refused(*why);
  }
  const auto ticket = co_await begin_write(request);
  if (!ticket) co_return refused({Refusal::WritesNotFenced, {}, std::chrono::seconds(1)});
  Attempted attempted;
  std::exception_ptr error;
  try {
    if (request->claim)
      attempted = co_await keyed_attempts(request);
    else
      attempted = co_await parts_.attempts.run(request, {});
  } catch (...) {
    error = std::current_exception();
    // If it was sent, by this process or one before, its outcome is unknown: the marks stay, as after a lost answer.
    attempted.sent = attempted.unknown = request->sent || (request->claim && request->claim->doubtful());
  }
  const auto outcome = !attempted.sent ? Outcome::NotSent : attempted.unknown ? Outcome::Unknown : Outcome::Answered;
  std::vector<std::string> more;
  if (attempted.sent && !policies::is_passthrough(*request->operation)) {
    const auto match = std::get<policies::Match>(parts_.catalogue.match(request->method, request->path));
    more = keys_of_answer(match, request->location, std::get_if<upstream::Response>(&attempted.result));
  }
  {
    const auto span = redis_span(*request, "end-write");
    co_await parts_.writes.finish(ticket, outcome, write_keys(*request, std::move(more)));
  }
  if (outcome != Outcome::NotSent) parts_.reporter.invalidated("write");
  if (error) std::rethrow_exception(error);
  if (request->claim) co_await request->claim->conclude();
  const bool sent = attempted.sent;
  auto answer = passed_on(std::move(attempted));
  if (sent) answer.status.forward = policies::Forward::Method;
  if (sent && !ticket->fenced) answer.status.detail = "unfenced";  // another replica may still answer from before it
  co_return answer;
}

}  // namespace gateway::exchange
