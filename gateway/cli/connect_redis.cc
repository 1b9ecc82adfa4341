#include <algorithm>
#include <array>
#include <asio/co_spawn.hpp>
#include <asio/io_context.hpp>
#include <charconv>
#include <cmath>

#include "gateway/cli/connect_parts.h"
#include "gateway/redis/client.h"
#include "gateway/redis/rights.h"

namespace gateway::cli {

namespace {

using std::chrono::microseconds;
using std::chrono::milliseconds;

constexpr milliseconds kCommand{2'000};

// "name:value" of INFO.
std::string info(const std::string& text, const std::string& name) {
  const auto at = text.find("\n" + name + ":");
  if (at == std::string::npos) return {};
  const auto from = at + name.size() + 2;
  return text.substr(from, text.find_first_of("\r\n", from) - from);
}

int number(std::string_view text) {
  int value = 0;
  std::from_chars(text.data(), text.data() + text.size(), value);
  return value;
}

std::string in_ms(microseconds time) {
  const auto tenths = (time.count() + 50) / 100;
  return std::to_string(tenths / 10) + "." + std::to_string(tenths % 10) + " ms";
}

template <typename T>
const T* as(const redis::Result& result) {
  const auto* value = std::get_if<redis::Value>(&result);
  return value ? std::get_if<T>(&value->data) : nullptr;
}

asio::awaitable<void> latency(redis::Client& client, const config::Settings& settings, Findings& findings) {
  std::array<microseconds, 5> took{};
  for (auto& one : took) {
    const auto began = std::chrono::steady_clock::now();
    std::vector<std::string> ping{"PING"};
    co_await client.command(std::move(ping), kCommand);
    one = std::chrono::duration_cast<microseconds>(std::chrono::steady_clock::now() - began);
  }
  std::sort(took.begin(), took.end());
  const auto median = took[took.size() / 2];
  const auto text = "answers after " + in_ms(median) + " (median of 5)";
  if (median < settings.redis.timeout)
    findings.well("Redis", text);
  else
    findings.failed(kRedis, "Redis", text + ", which is more than redis.timeout");
}

asio::awaitable<void> server(redis::Client& client, const config::Settings& settings, Findings& findings) {
  std::vector<std::string> command{"INFO"};
  const auto result = co_await client.command(std::move(command), kCommand);
  const auto* text = as<std::string>(result);
  if (text == nullptr) co_return findings.failed(kRedis, "Redis server", "does not answer INFO");
  constexpr int kLeast = 7;
  const auto version = info(*text, "redis_version"), role = info(*text, "role");
  const bool good = role == "master" && number(version) >= kLeast;
  const auto said = role + ", version " + version;
  good ? findings.well("Redis server", said)
       : findings.failed(kRedis, "Redis server", said + "; expected a master of version 7 or later");
  const auto policy = info(*text, "maxmemory_policy");
  if (info(*text, "maxmemory") != "0" && policy.starts_with("allkeys"))
    findings.note("Redis, memory", "maxmemory-policy " + policy +
                                       ": once it evicts what the rate limit keeps, more than the limit may be sent; "
                                       "take noeviction or volatile-lru");
  if (settings.credentials.oauth.store != "redis") co_return;
  info(*text, "aof_enabled") == "1"
      ? findings.well("Redis, tokens", "kept by its append-only file")
      : findings.failed(
            kRedis, "Redis, tokens",
            "appendonly is off: a restart of Redis would lose the tokens that it keeps (set appendonly yes)");
}

asio::awaitable<void> clock(redis::Client& client, Findings& findings) {
  constexpr std::chrono::seconds kTolerance{5};
  std::vector<std::string> command{"TIME"};
  const auto result = co_await client.command(std::move(command), kCommand);
  const auto* parts = as<redis::Array>(result);
  const auto* text = parts && !parts->empty() ? std::get_if<std::string>(&parts->front().data) : nullptr;
  std::int64_t then = 0;
  if (text == nullptr || std::from_chars(text->data(), text->data() + text->size(), then).ec != std::errc()) co_return;
  const auto ahead = std::chrono::seconds(then) - std::chrono::duration_cast<std::chrono::seconds>(
                                                      std::chrono::system_clock::now().time_since_epoch());
  const auto said = "Redis' is " + std::to_string(ahead.count()) + " s ahead";
  std::chrono::abs(ahead) <= kTolerance ? findings.well("clock", said)
                                        : findings.failed(kRedis, "clock", said + "; set the machines' clocks");
}

asio::awaitable<void> rights(redis::Rights& tried, Findings& findings) {
  const auto missing = co_await tried.missing();
  missing.empty() ? findings.well("Redis, rights", "its user may do all that the gateway does")
                  : findings.failed(kRedis, "Redis, rights", missing);
}

asio::awaitable<void> look(redis::Client& client, redis::Rights& tried, const config::Settings& settings,
                           Findings& findings) {
  constexpr milliseconds kWithin{3'000};
  const bool up = co_await client.connected(kWithin);
  if (!up) co_return findings.failed(kRedis, "Redis", "cannot be reached: " + client.status().error);
  co_await latency(client, settings, findings);
  co_await server(client, settings, findings);
  co_await clock(client, findings);
  co_await rights(tried, findings);
}

}  // namespace

void try_redis(const config::Settings& settings, Findings& findings) {
  if (settings.redis.url.empty()) return findings.note("Redis", "none is configured: one replica, memory only");
  asio::io_context io;
  redis::Options options;
  options.url = redis::parse_url(settings.redis.url.value);
  redis::Rights tried(io, options.url);
  redis::Client client(io, std::move(options));
  client.start();
  bool done = false;
  asio::co_spawn(io, look(client, tried, settings, findings), [&](const std::exception_ptr& error) {
    done = true;
    if (error) findings.failed(kRedis, "Redis", "could not be tried");
  });
  while (!done && io.run_one() > 0) {
  }
  client.stop();
}

}  // namespace gateway::cli
