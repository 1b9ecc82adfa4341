#include "gateway/cache/redis_tier.h"

#include <algorithm>
#include <asio/co_spawn.hpp>
#include <asio/detached.hpp>
#include <asio/redirect_error.hpp>
#include <asio/use_awaitable.hpp>

#include "gateway/cache/codec.h"
#include "gateway/cache/log_message.h"
#include "gateway/cache/scripts.h"
#include "gateway/random.h"

namespace gateway::cache {

using namespace std::chrono_literals;
using policies::coherence::Write;

namespace {
constexpr auto kGenerationLife = std::chrono::hours(24);

std::string text(std::uint64_t number) { return std::to_string(number); }
std::string text(std::chrono::milliseconds duration) { return std::to_string(duration.count()); }
std::string prefixed(std::string_view prefix, const std::string& key) { return std::string(prefix) + key; }

std::string stamp_text(const policies::coherence::View& view) {
  std::string stamp = text(view.epoch);
  for (auto generation : view.generations) stamp.append(" ").append(text(generation));
  return stamp;
}

std::vector<std::string> script_keys(const std::vector<std::string>& surrogates) {
  std::vector<std::string> keys{std::string(kEpochKey), std::string(kLogKey)};
  for (const auto& surrogate : surrogates) keys.push_back(prefixed(kSurrogatePrefix, surrogate));
  return keys;
}
}  // namespace

RedisTier::RedisTier(asio::io_context& io, redis::Client& client, Fence& fence, RedisTierOptions options)
    : io_(io),
      client_(client),
      fence_(fence),
      options_(std::move(options)),
      lookups_(io, options_.timeout,
               [this](std::string key, std::vector<std::string> surrogate_keys, std::chrono::milliseconds limit) {
                 return ask(std::move(key), std::move(surrogate_keys), limit);
               }),
      next_report_(io),
      next_extend_(io) {}

asio::awaitable<std::optional<redis::Array>> RedisTier::run(std::shared_ptr<const redis::Script> script,
                                                            std::vector<std::string> keys,
                                                            std::vector<std::string> arguments,
                                                            std::chrono::milliseconds limit) {
  auto result = co_await client_.eval(std::move(script), std::move(keys), std::move(arguments), limit);
  auto* value = std::get_if<redis::Value>(&result);
  if (value == nullptr || std::holds_alternative<redis::Error>(value->data)) co_return std::nullopt;
  if (auto* array = std::get_if<redis::Array>(&value->data)) co_return std::move(*array);
  co_return redis::Array{std::move(*value)};
}

asio::awaitable<Found> RedisTier::look_up(std::string key, std::vector<std::string> surrogate_keys) {
  return lookups_.look_up(std::move(key), std::move(surrogate_keys));
}

asio::awaitable<void> RedisTier::wait_for_other(std::string key, std::chrono::milliseconds limit) {
  // A landing is announced; one that was missed, or a leader that died, is found out by asking again.
  const auto until = Timer::clock_type::now() + std::min<std::chrono::milliseconds>(limit, 200ms);
  Timer timer(io_);
  const auto seat = followers_.emplace(std::move(key), &timer);
  struct Leave {
    Followers& all;
    Followers::iterator seat;
    ~Leave() { all.erase(seat); }
  } const leave{followers_, seat};
  asio::error_code woken;
  // Nothing is announced by a Redis that is away: that is noticed within one time limit of it.
  while (!woken && Timer::clock_type::now() < until && client_.status().up && !client_.silent()) {
    timer.expires_at(std::min(until, Timer::clock_type::now() + options_.timeout));
    co_await timer.async_wait(asio::redirect_error(asio::use_awaitable, woken));
  }
}

asio::awaitable<void> RedisTier::finish(std::string key, Found found, std::shared_ptr<const StoredEntry> entry) {
  std::string token;
  if (auto led = led_.find(key); led != led_.end()) {
    token = std::move(led->second);
    led_.erase(led);
  }
  const bool store = found.available && entry && policies::coherence::may_store(found.view);
  if (token.empty() && !store) co_return;
  std::string stamp;
  std::string data;
  auto lifetime = 1ms;
  if (store) {
    stamp = stamp_text(found.view);
    data = encode(*entry);
    lifetime = std::chrono::milliseconds(entry->keep_ms + 1);  // stale use and revalidation included
  }
  co_await run(scripts::finish(), {prefixed(kEntryPrefix, key), prefixed(kFlightPrefix, key)},
               {token, stamp, std::move(data), text(lifetime), key});
}

namespace {
// {epoch, position, age, live…}
std::optional<Write::Begun> begun_of(const std::optional<redis::Array>& reply) {
  if (!reply || reply->size() < 3) return std::nullopt;
  Write::Begun begun{
      number_of((*reply)[0]), number_of((*reply)[1]), {}, std::chrono::milliseconds(number_of((*reply)[2]))};
  if (begun.epoch == 0) return std::nullopt;
  for (std::size_t i = 3; i < reply->size(); ++i)
    if (auto* replica = std::get_if<std::string>(&(*reply)[i].data)) begun.live.push_back(*replica);
  return begun;
}
}  // namespace

asio::awaitable<std::optional<Write::Begun>> RedisTier::begin(std::vector<std::string> keys,
                                                              policies::coherence::WriteId write) {
  std::vector<std::string> arguments{client_.status().run_id,      text(random_id()),     text(write),
                                     text(options_.timing.mark()), text(kGenerationLife), netstrings(keys)};
  for (std::size_t i = 0; i < keys.size(); ++i) arguments.push_back(text(random_id()));
  auto begun = begun_of(co_await run(scripts::begin(), script_keys(keys), std::move(arguments)));
  if (begun && begun->position == 0) co_return std::nullopt;
  co_return begun;
}

asio::awaitable<std::optional<bool>> RedisTier::end(std::vector<Ending> keys, policies::coherence::WriteId write,
                                                    policies::coherence::Epoch began_in) {
  std::vector<std::string> names;
  std::vector<std::string> arguments{client_.status().run_id, text(random_id()), text(write), text(began_in)};
  for (auto& key : keys) {
    arguments.push_back(text(key.keep));
    names.push_back(std::move(key.key));
  }
  const auto reply = co_await run(scripts::end(), script_keys(names), std::move(arguments));
  if (!reply || reply->empty()) co_return std::nullopt;
  co_return number_of(reply->front()) == 1;
}

asio::awaitable<void> RedisTier::await_acknowledgements(std::shared_ptr<Write> write, std::chrono::milliseconds limit) {
  for (const auto& [replica, at] : acknowledged_) write->acknowledged(replica, at.first, at.second);
  if (write->may_proceed(boottime())) co_return;
  Timer timer(io_, std::max<std::chrono::milliseconds>(std::min(limit, write->await_until() - boottime()), 1ms));
  const auto seat = writers_.insert(writers_.end(), {write, &timer});
  asio::error_code ignored;
  try {
    co_await timer.async_wait(asio::redirect_error(asio::use_awaitable, ignored));
  } catch (...) {
    writers_.erase(seat);
    throw;
  }
  writers_.erase(seat);
}

asio::awaitable<std::optional<Write::Begun>> RedisTier::renew_epoch() {
  co_return begun_of(
      co_await run(scripts::renew_epoch(), script_keys({}), {client_.status().run_id, text(random_id())}));
}

}  // namespace gateway::cache
