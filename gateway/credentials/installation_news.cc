#include "gateway/credentials/installation_news.h"

#include <asio/co_spawn.hpp>
#include <asio/steady_timer.hpp>
#include <asio/this_coro.hpp>
#include <asio/use_awaitable.hpp>
#include <utility>

#include "gateway/log/failure.h"
#include "gateway/random.h"

namespace gateway::credentials {

namespace {

constexpr std::chrono::milliseconds kWithin{1'000};
constexpr std::chrono::milliseconds kPause{250};
constexpr std::size_t kPage = 500;
const std::string kStream = "cg:oauth:installations";

// KEYS: stream, whose name is the channel's too. ARGV: who tells, location, the time in ms for which it is kept.
const auto kTell = std::make_shared<const redis::Script>(redis::Script{"installation_tell", R"lua(
local time = redis.call('TIME')
local oldest = time[1] * 1000 + math.floor(time[2] / 1000) - tonumber(ARGV[3])
redis.call('XADD', KEYS[1], 'MINID', '~', string.format('%.0f-0', oldest), '*', 'by', ARGV[1], 'of', ARGV[2])
redis.call('PEXPIRE', KEYS[1], ARGV[3])
return redis.call('PUBLISH', KEYS[1], ARGV[1] .. ' ' .. ARGV[2])
)lua"});
constexpr std::chrono::milliseconds kKept = std::chrono::hours(25);

const std::string* text_at(const redis::Array& array, std::size_t i) {
  return i < array.size() ? std::get_if<std::string>(&array[i].data) : nullptr;
}

}  // namespace

struct InstallationNews::Ear {
  std::string self = random_hex(8);
  std::string last = "0";  // entry of the stream that was read
  bool reading = false, missed = false;
  std::function<void(const std::string&)> on_news;

  void hear(std::string_view by, const std::string& location) const {
    if (by != self && on_news) on_news(location);
  }
  // {id, {"by", who, "of", location}}; what has another shape was written by nobody of ours.
  void hear_entry(const redis::Value& value) {
    const auto* entry = std::get_if<redis::Array>(&value.data);
    if (entry == nullptr || entry->size() != 2) return;
    if (const auto* id = text_at(*entry, 0)) last = *id;
    const auto* fields = std::get_if<redis::Array>(&(*entry)[1].data);
    if (fields == nullptr) return;
    const auto *by = text_at(*fields, 1), *of = text_at(*fields, 3);
    if (by != nullptr && of != nullptr) hear(*by, *of);
  }
};

InstallationNews::InstallationNews(asio::io_context& io, redis::Client* redis)
    : io_(io), redis_(redis), ear_(std::make_shared<Ear>()) {}

InstallationNews::~InstallationNews() { stop(); }

void InstallationNews::start(std::function<void(const std::string&)> on_news) {
  if (redis_ == nullptr) return;
  ear_->on_news = std::move(on_news);
  redis_->subscribe({kStream},
                    [&io = io_, &redis = *redis_, ear = ear_](std::string_view channel, std::string_view message) {
                      if (!channel.empty()) {
                        const auto space = message.find(' ');
                        if (space != std::string_view::npos)
                          ear->hear(message.substr(0, space), std::string(message.substr(space + 1)));
                        return;
                      }
                      ear->missed = true;
                      if (std::exchange(ear->reading, true)) return;
                      asio::co_spawn(io, catch_up(redis, ear), [ear](const std::exception_ptr& error) {
                        ear->reading = false;
                        log::failure("installation_news_failed", error);
                      });
                    });
}

void InstallationNews::stop() { ear_->on_news = nullptr; }

asio::awaitable<bool> InstallationNews::tell(std::string location) {
  if (redis_ == nullptr) co_return true;
  std::vector<std::string> keys{kStream};
  std::vector<std::string> arguments{ear_->self, std::move(location), std::to_string(kKept.count())};
  const auto result = co_await redis_->eval(kTell, std::move(keys), std::move(arguments), kWithin);
  const auto* value = std::get_if<redis::Value>(&result);
  co_return value != nullptr&& std::holds_alternative<std::int64_t>(value->data);
}

// What the stream holds after the last that was read. False: Redis did not say all of it.
asio::awaitable<bool> InstallationNews::read_on(redis::Client& redis, std::shared_ptr<Ear> ear) {
  for (std::size_t found = kPage; found == kPage;) {
    if (!co_await redis.connected(kWithin)) co_return false;
    std::vector<std::string> command{"XRANGE", kStream, "(" + ear->last, "+", "COUNT", std::to_string(kPage)};
    const auto result = co_await redis.command(std::move(command), kWithin);
    const auto* value = std::get_if<redis::Value>(&result);
    const auto* entries = value ? std::get_if<redis::Array>(&value->data) : nullptr;
    if (entries == nullptr) co_return false;
    found = entries->size();
    for (const auto& each : *entries) ear->hear_entry(each);
  }
  co_return true;
}

asio::awaitable<void> InstallationNews::catch_up(redis::Client& redis, std::shared_ptr<Ear> ear) {
  asio::steady_timer pause(co_await asio::this_coro::executor);
  while (ear->on_news && std::exchange(ear->missed, false)) {
    if (co_await read_on(redis, ear)) continue;
    ear->missed = true;
    pause.expires_after(kPause);
    co_await pause.async_wait(asio::use_awaitable);
  }
}

}  // namespace gateway::credentials
