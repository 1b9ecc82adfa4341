#include "gateway/credentials/installation_news.h"

#include "tests/gateway/redis/harness.h"

using namespace redis_test;
using gateway::credentials::InstallationNews;

namespace {

struct Replica {
  explicit Replica(Session& session) : news(session.io, &session.client) {}
  void start() {
    news.start([this](const std::string& location) { heard.push_back(location); });
  }
  bool has(const std::string& location) const { return std::find(heard.begin(), heard.end(), location) != heard.end(); }

  std::vector<std::string> heard;
  InstallationNews news;
};

}  // namespace

TEST_SUITE("installation_news") {
  TEST_CASE("every other replica hears of it, also one that was cut off when it was told") {
    RedisServer redis;
    Session session(options(redis.url()));
    Replica teller(session), listener(session), late(session);
    teller.start();
    listener.start();
    run(session.io, [&]() -> asio::awaitable<void> {
      // More than one page of what was missed.
      for (int i = 0; i < 600; ++i) CHECK(co_await teller.news.tell("loc_" + std::to_string(i)));
      CHECK(co_await until([&] { return listener.has("loc_599"); }));
      late.start();
      CHECK(co_await until([&] { return late.has("loc_599"); }));
      CHECK(late.has("loc_0"));

      // The subscriptions break: whatever is told meanwhile is not lost.
      redis.command({"CLIENT", "KILL", "TYPE", "pubsub"});
      CHECK(co_await teller.news.tell("loc a"));
      CHECK(co_await until([&] { return listener.has("loc a") && late.has("loc a"); }));
      CHECK(teller.heard.empty());  // of its own it knows
      listener.news.stop();
      CHECK(co_await teller.news.tell("loc b"));
      CHECK(co_await until([&] { return late.has("loc b"); }));
      CHECK_FALSE(listener.has("loc b"));
    });
  }

  TEST_CASE("while Redis is away nobody is told, and it says so; without one there is nobody to tell") {
    RedisServer redis;
    Session session(options(redis.url()));
    InstallationNews news(session.io, &session.client), alone(session.io, nullptr);
    alone.start([](const std::string&) {});
    redis.kill();
    run(session.io, [&]() -> asio::awaitable<void> {
      CHECK_FALSE(co_await news.tell("loc_a"));
      CHECK(co_await alone.tell("loc_a"));
    });
  }
}
