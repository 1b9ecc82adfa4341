#include "gateway/limiter/replica_link.h"

#include <algorithm>
#include <asio/co_spawn.hpp>
#include <asio/redirect_error.hpp>
#include <asio/use_awaitable.hpp>
#include <random>
#include <utility>

#include "gateway/limiter/scripts.h"
#include "gateway/limiter/store.h"
#include "gateway/log/log.h"

namespace gateway::limiter {

namespace {

constexpr auto kBeat = std::chrono::milliseconds(1'000);
constexpr policies::Duration kRenew =
    std::chrono::milliseconds(100);  // reservations; also how soon an early end is seen
constexpr auto kJoinAgain = std::chrono::milliseconds(50);
constexpr auto kRestoreAgain = std::chrono::milliseconds(10);
constexpr int kFailuresToLose = 3;

std::string random_name() {
  std::random_device device;
  std::string name;
  for (int i = 0; i < 4; ++i) {
    auto bits = device();
    for (int digit = 0; digit < 8; ++digit, bits >>= 4) name += "0123456789abcdef"[bits & 15];
  }
  return name;
}

}  // namespace

ReplicaLink::ReplicaLink(asio::io_context& io, redis::Client& redis, Options options, Events events)
    : io_(io),
      redis_(redis),
      options_(std::move(options)),
      events_(std::move(events)),
      replica_(random_name()),
      timer_(io) {}

void ReplicaLink::start() {
  asio::co_spawn(
      io_, [self = shared_from_this()] { return self->run(); },
      [](const std::exception_ptr& thrown) {
        if (thrown) log::error("limiter_link_failed");
      });
}

void ReplicaLink::stop() {
  stopped_ = true;
  timer_.cancel();
}

ReplicaLink::State ReplicaLink::state() {
  const auto& redis = redis_.status();
  const bool other_connection = redis.connects != joined_connection_;
  if (!redis.up ? state_ != State::Unmet : state_ == State::Shared && other_connection) lose();
  return state_;
}

void ReplicaLink::failed() {
  if (++failures_ >= kFailuresToLose) lose();
}

void ReplicaLink::displaced() {
  if (state_ == State::Shared) lose();
}

// From Quarantined too: a Redis that leaves again must not keep everyone waiting for a quarantine that nobody can end.
// The shares are then those of the first loss, so that what was taken under them since is still counted.
void ReplicaLink::lose() {
  if ((state_ != State::Shared && state_ != State::Quarantined) || stopped_) return;
  const bool first = state_ == State::Shared || newborn_;
  state_ = State::Lost;
  fewer_since_.reset();
  if (std::exchange(reserved_, false)) alone_ = true;
  log::warn("limiter_alone", {{"replicas", static_cast<std::int64_t>(replicas_)}});
  if (first) events_.on_lost();
  timer_.cancel();  // joins again as soon as there is a connection
}

asio::awaitable<void> ReplicaLink::pause(policies::Duration duration) {
  timer_.expires_after(duration);
  asio::error_code woken;
  co_await timer_.async_wait(asio::redirect_error(asio::use_awaitable, woken));
}

// Fewer are believed after one lease of it: where Redis evicted the list, those who live are back in it before.
void ReplicaLink::count(std::uint64_t live) {
  live = std::max<std::uint64_t>(1, live);
  const auto at = now();
  if (live < replicas_ && !fewer_since_) fewer_since_ = at;
  if (live < replicas_ && at - *fewer_since_ < options_.lease) return;
  replicas_ = live;
  fewer_since_.reset();
}

asio::awaitable<bool> ReplicaLink::join(bool ready) {
  const auto connection = redis_.status().connects;
  const bool told = alone_;
  const auto micros = [](policies::Duration duration) { return std::to_string(duration.count()); };
  const auto result = co_await redis_.eval(
      scripts().join, {epoch_key(), replicas_key()},
      {random_name(), redis_.status().run_id, nonce_, replica_, micros(options_.lease), micros(options_.quarantine),
       alone_ ? "1" : "0", std::to_string(newborn_ ? 0 : replicas_), ready ? "1" : "0"});
  const auto* value = std::get_if<redis::Value>(&result);
  const auto* reply = value ? std::get_if<redis::Array>(&value->data) : nullptr;
  if (!reply || reply->size() != 3 || stopped_) co_return false;
  const auto* named = std::get_if<std::string>(&(*reply)[0].data);
  const auto* quarantine = std::get_if<std::int64_t>(&(*reply)[1].data);
  const auto* counted = std::get_if<std::int64_t>(&(*reply)[2].data);
  if (!named || !quarantine || !counted) co_return false;
  const std::string nonce = *named;
  if (alone_ && !told) co_return false;  // granted meanwhile: the next join says so
  quarantine_left_ = policies::Duration(*quarantine);
  const auto live = static_cast<std::uint64_t>(*counted);
  if (state_ == State::Shared && nonce != nonce_) lose();
  nonce_ = nonce;
  joined_connection_ = connection;
  failures_ = 0;
  // Those that have not come back yet still live by the share of as many as there were.
  if (quarantine_left_ > policies::Duration{0})
    replicas_ = std::max(replicas_, live);
  else
    count(live);
  if (quarantine_left_ > policies::Duration{0}) {
    // Whatever was granted until now gets its reservations in this quarantine, or is taken for granted alone.
    if (std::exchange(alone_, false)) reserved_ = true;
    state_ = State::Quarantined;
  } else if (state_ != State::Shared) {
    state_ = State::Shared;
    newborn_ = alone_ = reserved_ = false;
    log::info("limiter_shared", {{"replicas", static_cast<std::int64_t>(replicas_)}});
  }
  co_return true;
}

asio::awaitable<void> ReplicaLink::run() {
  while (!stopped_) {
    if (!redis_.status().up) {
      lose();
      co_await redis_.connected(kBeat);
      if (stopped_ || !redis_.status().up) continue;
    }
    bool joined = co_await join(false);
    if (joined && !stopped_ && state_ == State::Quarantined && co_await events_.reserve() && !stopped_)
      joined = co_await join(true);
    if (joined && !stopped_ && state_ == State::Shared && !co_await events_.restore() && !stopped_) {
      co_await pause(kRestoreAgain);
      continue;
    }
    if (stopped_) co_return;
    if (!joined) failed();
    switch (state_) {
      case State::Shared:
        co_await pause(kBeat);
        break;
      case State::Quarantined:
        co_await pause(std::min(kRenew, quarantine_left_));
        break;
      default:
        co_await pause(kJoinAgain);
    }
  }
}

}  // namespace gateway::limiter
