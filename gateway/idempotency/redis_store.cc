#include "gateway/idempotency/redis_store.h"

#include <asio/io_context.hpp>
#include <asio/steady_timer.hpp>
#include <asio/this_coro.hpp>
#include <asio/use_awaitable.hpp>

namespace gateway::idempotency {

namespace {

using policies::IdempotencyClaim;
using policies::IdempotencyStep;

// A write can wait longer for Redis than a read, which has the upstream to turn to.
constexpr auto kPatience = std::chrono::milliseconds(500);
constexpr auto kTryAgain = std::chrono::milliseconds(50);

// Fields: f fingerprint, o owner, p phase (0 under way, 1 sent, 2 learned, 3 settled), l lease end, s sent, a answer;
// times in microseconds. Answers: the claim as IdempotencyClaim counts them, the time since it was sent, the answer.
constexpr char kClaim[] = R"lua(
local t = redis.call('TIME')
local now = tonumber(t[1]) * 1000000 + tonumber(t[2])
local function text(n) return string.format('%.0f', n) end
local fingerprint, owner, lease, keep = ARGV[1], ARGV[2], tonumber(ARGV[3]), ARGV[4]
local r = redis.call('HMGET', KEYS[1], 'f', 'o', 'p', 'l', 's')
local phase = tonumber(r[3] or 0)
if r[1] then
  if r[1] ~= fingerprint then return {5, 0, ''} end
  if phase == 3 then return {3, 0, redis.call('HGET', KEYS[1], 'a')} end
  if r[2] ~= owner and tonumber(r[4]) > now then return {4, 0, ''} end
end
redis.call('HSET', KEYS[1], 'f', fingerprint, 'o', owner, 'p', phase, 'l', text(now + lease))
redis.call('PEXPIRE', KEYS[1], keep)
if phase == 0 then return {0, 0, ''} end
if phase == 1 then return {1, math.max(0, now - tonumber(r[5])), ''} end
return {2, 0, redis.call('HGET', KEYS[1], 'a')}
)lua";

// Steps as IdempotencyStep counts them: 0 renew, 1 send, 2 not applied, 3 learn, 4 settle, 5 doubt, 6 release.
// Also where Redis is full: the outcome of what was begun would be in doubt.
constexpr char kAdvance[] = R"lua(#!lua flags=allow-oom
local t = redis.call('TIME')
local now = tonumber(t[1]) * 1000000 + tonumber(t[2])
local function text(n) return string.format('%.0f', n) end
local fingerprint, owner, lease, keep = ARGV[1], ARGV[2], tonumber(ARGV[3]), ARGV[4]
local step, answer = tonumber(ARGV[5]), ARGV[6]
local tells = step == 3 or step == 4
local r = redis.call('HMGET', KEYS[1], 'f', 'o', 'p')
local phase = tonumber(r[3] or 0)
if not r[1] then
  if step == 0 or step == 6 then return 1 end
elseif r[1] ~= fingerprint or phase == 3 or (r[2] ~= owner and not tells) or (phase == 2 and not tells and step ~= 0) then
  return 0
end
if step == 6 then redis.call('DEL', KEYS[1]) return 1 end
redis.call('HSET', KEYS[1], 'f', fingerprint, 'o', owner, 'l', text(now + lease))
if not r[1] then redis.call('HSET', KEYS[1], 'p', 0, 's', text(now)) end
if step == 1 then redis.call('HSET', KEYS[1], 'p', 1, 's', text(now))
elseif step == 2 then redis.call('HSET', KEYS[1], 'p', 0)
elseif tells then redis.call('HSET', KEYS[1], 'p', step - 1, 'a', answer)
elseif step == 5 then redis.call('HSET', KEYS[1], 'p', 1, 'l', 0) end
redis.call('PEXPIRE', KEYS[1], keep)
return 1
)lua";

std::shared_ptr<const redis::Script> script(const char* name, const char* source) {
  return std::make_shared<const redis::Script>(redis::Script{name, source});
}

std::string micros(policies::Duration duration) { return std::to_string(duration.count()); }
std::string key_of(const Speaker& speaker) { return "cg:idempotency:" + speaker.name; }
std::string kept_for() { return std::to_string(std::chrono::milliseconds(kKept).count()); }

template <typename T>
const T* as(const redis::Value& value) {
  return std::get_if<T>(&value.data);
}

}  // namespace

asio::awaitable<std::optional<Claimed>> RedisStore::claim(Speaker speaker) {
  static const auto claim_script = script("idempotency_claim", kClaim);
  const auto result = co_await redis_.eval(claim_script, {key_of(speaker)},
                                           {speaker.fingerprint, speaker.owner, micros(lease_), kept_for()}, kPatience);
  const auto* value = std::get_if<redis::Value>(&result);
  const auto* reply = value ? as<redis::Array>(*value) : nullptr;
  if (reply == nullptr || reply->size() != 3) co_return std::nullopt;
  const auto* claim = as<std::int64_t>((*reply)[0]);
  const auto* since = as<std::int64_t>((*reply)[1]);
  const auto* answer = as<std::string>((*reply)[2]);
  if (claim == nullptr || since == nullptr || answer == nullptr || *claim < 0 ||
      *claim > static_cast<std::int64_t>(IdempotencyClaim::Mismatch))
    co_return std::nullopt;
  co_return Claimed{static_cast<IdempotencyClaim>(*claim),
                    std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::microseconds(*since)), *answer};
}

asio::awaitable<std::optional<bool>> RedisStore::advance(Speaker speaker, IdempotencyStep step, std::string answer) {
  static const auto advance_script = script("idempotency_advance", kAdvance);
  const auto result = co_await redis_.eval(advance_script, {key_of(speaker)},
                                           {speaker.fingerprint, speaker.owner, micros(lease_), kept_for(),
                                            std::to_string(static_cast<int>(step)), std::move(answer)},
                                           kPatience);
  const auto* value = std::get_if<redis::Value>(&result);
  const auto* done = value ? as<std::int64_t>(*value) : nullptr;
  if (done == nullptr) co_return std::nullopt;
  co_return *done == 1;
}

asio::awaitable<void> RedisStore::reachable(std::chrono::milliseconds limit) {
  if (!redis_.status().up) {
    co_await redis_.connected(limit);
    co_return;
  }
  asio::steady_timer pause(co_await asio::this_coro::executor, std::min(limit, kTryAgain));
  co_await pause.async_wait(asio::use_awaitable);
}

}  // namespace gateway::idempotency
