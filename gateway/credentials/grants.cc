#include "gateway/credentials/grants.h"

#include <algorithm>
#include <asio/co_spawn.hpp>

#include "gateway/clock.h"
#include "gateway/fault_point.h"
#include "gateway/log/failure.h"
#include "gateway/log/log.h"
#include "gateway/random.h"

namespace gateway::credentials {

using policies::GrantKind;
using policies::WallMillis;
using std::chrono::milliseconds;
using token_store::Failure;
using token_store::Grant;

namespace {

constexpr milliseconds kLongestSleep{30'000};  // a wall clock that was set is noticed by then

constexpr std::chrono::seconds kRefusedFor{30};  // without being able to renew it

// When the next renewal may begin.
WallMillis due(const GrantState& state) {
  if (!state.grant.ended.empty()) return WallMillis::max();
  const bool now = state.wanted || !state.access;
  return std::max(now ? WallMillis{0} : policies::renew_at(state.grant.times, state.jitter), state.not_before);
}

std::string_view view(const std::string& text) { return text; }

}  // namespace

std::string GrantState::name() const {
  if (!grant.subject.empty()) return grant.kind == GrantKind::Company ? "company:" + grant.subject : grant.subject;
  return client.location.empty() ? "not-known-yet" : client.location;
}

std::string GrantState::why_unnamed() const {
  const std::string whose = grant.kind == GrantKind::Company ? "company" : "location";
  return "The upstream gave a token for the app " + std::string(policies::app_of(grant.client_id)) +
         " without saying which " + whose + " it is for, so it serves no request that names one: set " +
         "credentials.oauth.location (or grants[].location) to the " + whose + "'s id and send SIGHUP.";
}

Grant GrantState::to_store() const {
  Grant copy = grant;
  if (named_here) copy.subject.clear();
  return copy;
}

Grants::Grants(GrantsParts parts, std::vector<config::OAuthGrant> configured)
    : parts_(std::move(parts)), configured_(std::move(configured)), woken_(parts_.io.get_executor()) {}

void Grants::start() {
  parts_.store.start([this] {
    dirty_ = true;
    woken_.notify();
  });
  asio::co_spawn(parts_.io, follow(), log::logged("grants_follow_failed"));
}

asio::awaitable<void> Grants::stop(milliseconds limit) {
  stopping_ = true;
  give_up_ = Clock::now() + limit;
  woken_.notify();
  for (const auto& grant : grants_) grant->kick.notify();
  while (renewing_ > 0 && Clock::now() < give_up_) co_await woken_.wait(give_up_);
  if (renewing_ > 0) log::error("token_renewal_cut");
  parts_.store.stop();
}

std::vector<policies::GrantView> Grants::views() const {
  const auto now = wall_now();
  std::vector<policies::GrantView> views;
  for (const auto& grant : grants_) {
    const bool gone = grant->grant.uninstalled();
    const bool live = grant->access && !grant->refused && !gone && policies::usable(grant->grant.times, now);
    views.push_back({grant->grant.kind, grant->grant.subject, live, !grant->grant.ended.empty(), gone});
  }
  return views;
}

// Reads the store, and again whenever it may have changed.
asio::awaitable<void> Grants::follow() {
  constexpr milliseconds kPause{250};
  while (!stopping_) {
    if (!dirty_) {
      co_await woken_.wait();
      continue;
    }
    dirty_ = false;
    auto loaded = co_await parts_.store.load();
    if (auto* failure = std::get_if<Failure>(&loaded)) {
      if (failure->why != trouble_) log::error("token_store_unreadable", {{"why", view(failure->why)}});
      trouble_ = failure->why;
      parts_.changed();
      if (!stopping_) co_await woken_.wait(Clock::now() + kPause);
      dirty_ = true;
      continue;
    }
    trouble_.clear();
    co_await merge(std::move(std::get<std::vector<Grant>>(loaded)));
  }
}

asio::awaitable<void> Grants::merge(std::vector<Grant> stored) {
  std::vector<Grant> lost;  // the store was turned back: it gets again what this process knows
  for (const auto& grant : grants_) {
    const auto found =
        std::find_if(stored.begin(), stored.end(), [&](const Grant& one) { return one.id == grant->grant.id; });
    if (found != stored.end() && token_store::supersedes(*found, grant->grant)) {
      adopt(grant, *found);
      parts_.count("adopted");
    } else if (grant->grant.version > 0 && (found == stored.end() || token_store::supersedes(grant->grant, *found))) {
      lost.push_back(grant->to_store());
    }
  }
  for (auto& one : stored)
    if (const auto client = client_of(one); client && !find(one.id)) add(std::move(one), *client);
  plant_seeds();
  loaded_ = true;
  parts_.changed();
  for (auto& grant : lost) {
    log::warn("token_store_lost_grant", {{"grant", view(grant.id)}});
    co_await parts_.store.save(std::move(grant));
  }
}

void Grants::add(Grant grant, config::OAuthGrant client) {
  auto state = std::make_shared<GrantState>(parts_.io, Grant{}, std::move(client));
  state->grant.id = grant.id;
  grants_.push_back(state);
  adopt(state, std::move(grant));
  asio::co_spawn(parts_.io, keep(state), log::logged("grant_keep_failed"));
}

GrantPtr Grants::find(std::string_view id) const {
  for (const auto& grant : grants_)
    if (grant->grant.id == id) return grant;
  return nullptr;
}

asio::awaitable<void> Grants::keep(GrantPtr grant) {
  while (!stopping_ && grant->listed) {
    const auto wait = due(*grant) - std::min(wall_now(), due(*grant));
    if (wait > milliseconds{0}) {
      co_await grant->kick.wait(Clock::now() + std::min(wait, kLongestSleep));
      continue;
    }
    ++renewing_;
    try {
      co_await renew(grant);
    } catch (const std::exception& e) {
      failed(grant, "failed", e.what());
    }
    --renewing_;
    woken_.notify();
  }
}

asio::awaitable<void> Grants::renew(GrantPtr grant) {
  auto right = co_await parts_.store.lock(grant->grant.id);
  if (const auto* busy = std::get_if<token_store::Busy>(&right)) {
    constexpr milliseconds kMost{250};
    grant->not_before = wall_now() + std::min(busy->look_again, kMost);
    co_return;
  }
  if (const auto* failure = std::get_if<Failure>(&right)) co_return failed(grant, "store_away", failure->why);
  const auto locked = std::get<token_store::Locked>(std::move(right));  // held to the end
  // That the grant ended concerns the seed that it ended with, and says nothing about another one.
  const auto& mine = grant->grant;
  const bool ended_before = locked.stored && locked.stored->version == mine.version && locked.stored->seed != mine.seed;
  if (locked.stored && !ended_before && token_store::supersedes(*locked.stored, mine)) {
    parts_.count("adopted");
    co_return adopt(grant, *locked.stored);
  }
  fault_point("refresh-locked");
  auto client = grant->client;
  client.user_type = policies::to_string(grant->grant.kind);
  const auto asked = wall_now();
  auto answer = co_await parts_.endpoint.refresh(std::move(client), grant->grant.refresh_token);
  fault_point("refresh-answered");
  if (auto* pair = std::get_if<policies::TokenPair>(&answer))
    co_await store_pair(grant, std::move(*pair), asked);
  else if (std::holds_alternative<policies::GrantRefused>(answer))
    co_await refused_for_good(grant);
  else
    co_await no_pair(grant, std::get<policies::TokenFault>(std::move(answer)), parts_.endpoint.failure());
}

// The refresh token that was used is spent, so the one that came is kept, whatever else the answer lacked.
asio::awaitable<void> Grants::no_pair(GrantPtr grant, policies::TokenFault fault, std::string why) {
  if (!fault.refresh_token.empty()) {
    Grant next = grant->to_store();
    ++next.version;
    next.refresh_token.value = std::move(fault.refresh_token);
    if (!co_await store(grant, std::move(next))) co_return;
  }
  failed(grant, to_string(fault.reason), why);
}

asio::awaitable<void> Grants::store_pair(GrantPtr grant, policies::TokenPair pair, WallMillis asked) {
  Grant next = grant->to_store();
  ++next.version;
  next.access_token.value = std::move(pair.access_token);
  if (!pair.refresh_token.empty()) next.refresh_token.value = std::move(pair.refresh_token);
  next.times = {asked, asked + pair.life};
  next.scope = std::move(pair.scope);
  next.kind = pair.kind.value_or(next.kind);
  if (!pair.subject.empty()) next.subject = std::move(pair.subject);
  next.ended.clear();
  const auto version = next.version;
  if (!co_await store(grant, std::move(next))) co_return;
  fault_point("refresh-stored");
  parts_.count("refreshed");
  log::info("token_refreshed", {{"location", view(grant->name())},
                                {"version", static_cast<std::int64_t>(version)},
                                {"expires_in", std::chrono::duration_cast<std::chrono::seconds>(pair.life).count()}});
  if (grant->grant.subject.empty()) log::error("credential_names_no_location", {{"why", view(grant->why_unnamed())}});
}

// Returns when the pair is stored: nobody uses one that a crash could lose. False: the store holds a later pair, which
// was taken instead.
asio::awaitable<bool> Grants::store(GrantPtr grant, Grant next) {
  constexpr milliseconds kMost{1'000};
  milliseconds pause{25};
  for (;;) {
    auto saved = co_await parts_.store.save(next);
    if (std::holds_alternative<token_store::Saved>(saved)) {
      adopt(grant, std::move(next));
      co_return true;
    }
    if (auto* other = std::get_if<token_store::Superseded>(&saved)) {
      parts_.count("superseded");
      adopt(grant, std::move(other->stored));
      co_return false;
    }
    const auto& why = std::get<Failure>(saved).why;
    if (grant->trouble != why) log::error("token_not_stored", {{"location", view(grant->name())}, {"why", view(why)}});
    grant->trouble = why;
    parts_.count("store_failed");
    if (Clock::now() >= give_up_) co_return false;
    co_await woken_.wait(std::min(Clock::now() + pause, give_up_));
    pause = std::min(pause * 2, kMost);
  }
}

asio::awaitable<void> Grants::refused_for_good(GrantPtr grant) {
  if (reseed(*grant)) co_return;
  Grant next = grant->to_store();
  next.ended = "invalid_grant";
  if (!co_await store(grant, std::move(next))) co_return;
  parts_.count("invalid_grant");
  log::error("credential_dead",
             {{"location", view(grant->name())},
              {"why", "the upstream refused its refresh token (invalid_grant)"},
              {"operator",
               "run contacts-gateway authorize, or set a new credentials.oauth.refresh_token; the last "
               "access token is used while it lives"},
              {"access_token_ends", static_cast<std::int64_t>(grant->grant.times.expires.count() / 1000)}});
}

asio::awaitable<bool> Grants::end(GrantPtr grant, std::string why) {
  Grant next = grant->to_store();
  next.ended = std::move(why);
  next.access_token = next.refresh_token = {};
  const auto saved = co_await parts_.store.save(next);
  if (const auto* other = std::get_if<token_store::Superseded>(&saved)) {
    adopt(grant, other->stored);
    co_return !other->stored.ended.empty();
  }
  if (!std::holds_alternative<token_store::Saved>(saved)) co_return false;
  adopt(grant, std::move(next));
  log::info("credential_dropped", {{"location", view(grant->name())}, {"why", view(grant->grant.ended)}});
  co_return true;
}

void Grants::failed(const GrantPtr& grant, std::string_view result, const std::string& why) {
  ++grant->failures;
  // It stays refused for a while, since a later pair may come from another process; then the upstream decides anew.
  grant->refused = grant->refused && Clock::now() - grant->refused_at < kRefusedFor;
  grant->trouble = why;
  grant->not_before = wall_now() + policies::renewal_pause(grant->failures, grant->grant.times, random_unit());
  parts_.count(result);
  log::warn("token_refresh_failed", {{"location", view(grant->name())},
                                     {"result", result},
                                     {"why", view(why)},
                                     {"failures", std::int64_t{grant->failures}}});
  parts_.changed();
}

void Grants::adopt(const GrantPtr& grant, Grant next) {
  const bool same_pair = grant->access && next.version == grant->grant.version;
  // Where only a refresh token came, the access token (if any) and the time of the next try stay as they were. Else
  // replicas would take turns, without a pause, at an endpoint that gives nothing better.
  const bool refresh_only = next.times == grant->grant.times && next.access_token == grant->grant.access_token;
  grant->grant = std::move(next);
  grant->named_here = false;
  name_by_settings(*grant);
  if (!same_pair && !refresh_only) {
    const auto& token = grant->grant.access_token;
    grant->access = token.empty() ? nullptr : std::make_shared<Access>(token.value);
    grant->refused = grant->wanted = false;
    grant->failures = 0;
    grant->not_before = WallMillis{0};
    grant->trouble.clear();
    grant->jitter = random_unit();
  }
  if (!grant->grant.ended.empty()) reseed(*grant);
  grant->kick.notify();
  parts_.changed();
}

bool Grants::refuse(const GrantPtr& grant, const AccessPtr& access) {
  if (grant->access != access) return true;
  if (!grant->grant.ended.empty()) {
    grant->refused = true;
    return true;
  }
  if (!grant->refused) {
    const auto now = std::chrono::duration_cast<policies::Instant>(Clock::now().time_since_epoch());
    const bool due_anyway = wall_now() >= policies::renew_at(grant->grant.times, grant->jitter);
    if (!due_anyway && !grant->forced.admit(access->accepted, now)) return false;
    grant->refused = grant->wanted = true;
    grant->refused_at = Clock::now();
    grant->kick.notify();
  }
  return true;
}

}  // namespace gateway::credentials
