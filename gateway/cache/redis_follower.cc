// RedisTier's side of the invalidation log: the report loop and what the channels bring (rule 6 of the contract). The
// order in report_once() is what makes it safe:
//   1. the time is taken before the report is sent: the lease counts from then;
//   2. a lease that lapsed while the report was under way empties the memory before anything renews it;
//   3. what was missed is dropped from memory before the fence is moved;
//   4. a report that follows says so to the writers who wait.
#include <algorithm>
#include <asio/co_spawn.hpp>
#include <asio/redirect_error.hpp>
#include <asio/use_awaitable.hpp>

#include "gateway/cache/log_message.h"
#include "gateway/cache/redis_tier.h"
#include "gateway/cache/scripts.h"
#include "gateway/log/failure.h"
#include "gateway/random.h"

namespace gateway::cache {

using namespace std::chrono_literals;
using policies::coherence::Follower;

namespace {
constexpr std::size_t kMostReplicas = 1'000;
}  // namespace

void RedisTier::start() {
  running_ = true;
  client_.subscribe({"cg:log", "cg:ack", "cg:done"},
                    [this](std::string_view channel, std::string_view message) { on_message(channel, message); });
  asio::co_spawn(io_, report_loop(), log::logged("redis_tier_failed"));
  asio::co_spawn(io_, keep_flights(), log::logged("redis_tier_failed"));
}

void RedisTier::stop() {
  running_ = false;
  next_report_.cancel();
  next_extend_.cancel();
}

asio::awaitable<void> RedisTier::leave() {
  co_await run(scripts::leave(), {"cg:epoch", "cg:log"},
               {client_.status().run_id, std::to_string(random_id()), options_.replica});
}

asio::awaitable<void> RedisTier::report_loop() {
  while (running_) {
    report_now_ = false;
    co_await report_once();
    if (report_now_) continue;
    // While Redis is away the loop asks more often: the lease should come back soon after it does.
    next_report_.expires_after(client_.status().up ? options_.timing.report_every : 50ms);
    asio::error_code ignored;
    co_await next_report_.async_wait(asio::redirect_error(asio::use_awaitable, ignored));
  }
}

asio::awaitable<void> RedisTier::report_once() {
  const auto sent_at = boottime();
  const auto report = follower_.report();
  const auto reply =
      co_await run(scripts::report(), {"cg:epoch", "cg:log"},
                   {client_.status().run_id, std::to_string(random_id()), options_.replica,
                    std::to_string(report.epoch), std::to_string(report.position),
                    std::to_string(options_.timing.lease.count()), std::to_string(options_.timing.grace.count())});
  if (follower_.lapse(boottime(), options_.timing)) drop_everything("lease");
  if (!reply || reply->size() < 4) co_return;

  const auto epoch = number_of((*reply)[0]);
  if (epoch == 0) co_return;
  for (std::size_t i = 4; i + 1 < reply->size(); i += 2) {
    const auto* keys = std::get_if<std::string>(&(*reply)[i + 1].data);
    const auto parsed = keys == nullptr ? std::nullopt : parse_netstrings(*keys);
    const auto applied = follower_.apply(epoch, number_of((*reply)[i]));
    if (applied == Follower::Applied::Known) continue;
    report_now_ = true;
    if (parsed && applied == Follower::Applied::Next)
      fence_.invalidate(*parsed);
    else
      fence_.invalidate_all();
    if (options_.on_invalidation) options_.on_invalidation("log");
  }
  const bool anew = follower_.reported(epoch, number_of((*reply)[1]) == 1, number_of((*reply)[2]) == 1,
                                       number_of((*reply)[3]), sent_at);
  if (anew) {
    drop_everything("epoch");
    report_now_ = true;
  }
  fence_.hold_until(follower_.usable_until(options_.timing));
}

void RedisTier::drop_everything(std::string_view cause) {
  fence_.invalidate_all();
  if (options_.on_invalidation) options_.on_invalidation(cause);
}

void RedisTier::on_message(std::string_view channel, std::string_view message) {
  if (channel == "cg:log")
    on_log(message);
  else if (channel == "cg:ack")
    on_acknowledgement(message);
  else if (channel == "cg:done") {
    auto [first, last] = followers_.equal_range(std::string(message));
    for (; first != last; ++first) first->second->cancel();
  } else if (channel.empty()) {  // subscribed anew: anything may have been missed
    report_now_ = true;
    next_report_.cancel();
    for (auto& [key, timer] : followers_) timer->cancel();
  }
}

void RedisTier::on_log(std::string_view message) {
  const auto parsed = parse_log_message(message);
  const auto keys = parsed ? parse_netstrings(parsed->rest) : std::nullopt;
  // Anything but the very next entry is fetched by the report, which also knows about epochs.
  if (keys && follower_.report().position + 1 == parsed->position &&
      follower_.apply(parsed->epoch, parsed->position) == Follower::Applied::Next) {
    fence_.invalidate(*keys);
    if (options_.on_invalidation) options_.on_invalidation("log");
  }
  report_now_ = true;
  next_report_.cancel();
}

void RedisTier::on_acknowledgement(std::string_view message) {
  const auto parsed = parse_log_message(message);
  if (!parsed) return;
  if (acknowledged_.size() > kMostReplicas) acknowledged_.clear();
  acknowledged_[std::string(parsed->rest)] = {parsed->epoch, parsed->position};
  for (auto& waiter : writers_) {
    waiter.write->acknowledged(std::string(parsed->rest), parsed->epoch, parsed->position);
    if (waiter.write->may_proceed(boottime())) waiter.timer->cancel();
  }
}

// A leader's claim is short, so that a dead one is replaced soon; a living one renews it while it fetches.
asio::awaitable<void> RedisTier::keep_flights() {
  while (running_) {
    next_extend_.expires_after(500ms);
    asio::error_code ignored;
    co_await next_extend_.async_wait(asio::redirect_error(asio::use_awaitable, ignored));
    if (led_.empty()) continue;
    std::vector<std::string> keys;
    std::vector<std::string> arguments{"1500"};
    for (const auto& [key, token] : led_) {
      keys.push_back("cg:f:" + key);
      arguments.push_back(token);
    }
    co_await run(scripts::extend(), std::move(keys), std::move(arguments));
  }
}

}  // namespace gateway::cache
