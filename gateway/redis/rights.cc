#include "gateway/redis/rights.h"

#include <algorithm>
#include <array>
#include <asio/redirect_error.hpp>
#include <asio/steady_timer.hpp>
#include <asio/use_awaitable.hpp>
#include <chrono>
#include <utility>
#include <vector>

namespace gateway::redis {

namespace {

constexpr std::chrono::milliseconds kWithin{2'000};
const std::vector<std::string> kChannels{"cg:log", "cg:ack", "cg:done", "cg:oauth:installations"};

// What the scripts and the plain look-ups use. Messages that are empty say nothing to those who listen.
std::shared_ptr<const Script> everything() {
  static const auto made = std::make_shared<const Script>(Script{"rights", R"(
local refused
local function try(command, ...)
  local reply = redis.pcall(command, ...)
  if not refused and type(reply) == 'table' and reply.err then refused = command .. ': ' .. reply.err end
end
for _, key in ipairs(KEYS) do
  try('SET', key, '1', 'PX', '1000')
  try('GET', key)
  try('EXISTS', key)
  try('PERSIST', key)
  try('PEXPIRE', key, '1000')
  try('DEL', key)
  try('HSET', key, 'a', '1')
  try('HSETNX', key, 'a', '1')
  try('HINCRBY', key, 'a', '1')
  try('HGET', key, 'a')
  try('HMGET', key, 'a')
  try('HGETALL', key)
  try('HDEL', key, 'a')
  try('DEL', key)
  try('ZADD', key, '1', 'a')
  try('ZCARD', key)
  try('ZCOUNT', key, '-inf', '+inf')
  try('ZRANGE', key, '0', '0')
  try('ZREMRANGEBYRANK', key, '0', '0')
  try('ZREMRANGEBYSCORE', key, '0', '1')
  try('ZREM', key, 'a')
  try('DEL', key)
  try('RPUSH', key, 'a')
  try('LINDEX', key, '0')
  try('LREM', key, '1', 'a')
  try('DEL', key)
  try('XADD', key, '*', 'a', '1')
  try('DEL', key)
end
try('TIME')
for _, channel in ipairs(ARGV) do try('PUBLISH', channel, '') end
if refused then return redis.error_reply(refused) end
return ''
)"});
  return made;
}

// And not that memory is full, the data still loaded, the server a replica: those pass, and are told of elsewhere.
bool is_about_rights(std::string_view message) {
  constexpr std::array<std::string_view, 6> kWords{"NOPERM",
                                                   "The user executing",  // in a script, Redis 7.0
                                                   "ACL failure",         // the same, later ones
                                                   "unknown command",
                                                   "Unknown Redis command",
                                                   "Unknown command"};
  return std::ranges::any_of(kWords, [&](auto words) { return message.find(words) != message.npos; });
}

}  // namespace

asio::awaitable<std::string> Rights::missing() {
  Options options;
  options.url = url_;
  options.timeout = kWithin;
  client_ = std::make_unique<Client>(io_, std::move(options));
  client_->start();
  std::string why;
  if (co_await client_->connected(kWithin)) {
    why = co_await refused();
    if (why.empty() && !co_await hears() && client_->status().up)
      why = "SUBSCRIBE to cg:* is refused or not answered: Redis' user needs the channels (&cg:*) and the command";
  }
  client_.reset();
  co_return why;
}

asio::awaitable<std::string> Rights::refused() {
  std::vector<std::string> keys{"cg:rights", "gateway:rights"}, channels = kChannels;
  const auto result = co_await client_->eval(everything(), std::move(keys), std::move(channels), kWithin);
  const auto* value = std::get_if<Value>(&result);
  const auto* error = value == nullptr ? nullptr : std::get_if<Error>(&value->data);
  if (error == nullptr || !is_about_rights(error->message)) co_return std::string();
  co_return error->message.substr(0, error->message.find(" script: "));
}

asio::awaitable<bool> Rights::hears() {
  const auto confirmed = std::make_shared<asio::steady_timer>(io_, kWithin);
  const auto heard = std::make_shared<bool>(false);
  client_->subscribe(kChannels, [confirmed, heard](std::string_view, std::string_view) {
    *heard = true;
    confirmed->cancel();
  });
  asio::error_code ignored;
  co_await confirmed->async_wait(asio::redirect_error(asio::use_awaitable, ignored));
  co_return *heard;
}

}  // namespace gateway::redis
