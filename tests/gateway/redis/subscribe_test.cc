#include "tests/gateway/redis/fake_server.h"

using namespace redis_test;

TEST_SUITE_BEGIN("redis");

namespace {

struct Heard {
  std::vector<std::pair<std::string, std::string>> messages;
  int established = 0;
  std::function<void(std::string_view, std::string_view)> listener() {
    return [this](std::string_view channel, std::string_view message) {
      if (channel.empty())
        ++established;
      else
        messages.emplace_back(channel, message);
    };
  }
};

}  // namespace

TEST_CASE("messages arrive in order, and after a restart the listener hears of the gap first") {
  RedisServer server;
  Session session(options(server.url()));
  Heard heard;
  session.client.subscribe({"invalidations", "tokens"}, heard.listener());
  const auto publish = [&](std::string channel, std::string message) -> asio::awaitable<void> {
    co_await session.client.command({"PUBLISH", std::move(channel), std::move(message)});
  };
  run(session.io, [&]() -> asio::awaitable<void> {
    CHECK(co_await until([&] { return heard.established == 1; }));
    co_await publish("invalidations", "a");
    co_await publish("tokens", std::string("\0\r\n", 3));
    co_await publish("others", "x");
    co_await publish("invalidations", "c");
    CHECK(co_await until([&] { return heard.messages.size() == 3; }));
  });
  CHECK(heard.messages[0] == std::pair<std::string, std::string>("invalidations", "a"));
  CHECK(heard.messages[1] == std::pair<std::string, std::string>("tokens", std::string("\0\r\n", 3)));
  CHECK(heard.messages[2] == std::pair<std::string, std::string>("invalidations", "c"));
  server.restart();
  run(session.io, [&]() -> asio::awaitable<void> {
    CHECK(co_await until([&] { return heard.established == 2; }));
    CHECK(co_await session.client.connected(10s));
    co_await publish("invalidations", "d");
    CHECK(co_await until([&] { return heard.messages.size() == 4; }));
  });
}

TEST_CASE("an idle subscription lives on, a silent server's is renewed") {
  RedisServer server;
  Options given = options(server.url());
  given.stall_timeout = 30ms;
  given.connect_timeout = 300ms;
  Session session(std::move(given));
  Heard heard;
  session.client.subscribe({"news"}, heard.listener());
  run(session.io, [&]() -> asio::awaitable<void> {
    CHECK(co_await until([&] { return heard.established == 1; }));
    co_await pause_for(200ms);
    CHECK(heard.established == 1);  // signs of life are no new subscription
    server.pause();
    co_await pause_for(150ms);
    server.resume();
    CHECK(co_await until([&] { return heard.established == 2; }));
  });
}

TEST_CASE("pushes of the wrong shape end the subscription's connection, not the process") {
  const std::string good = "*3\r\n$9\r\nsubscribe\r\n$4\r\nnews\r\n:1\r\n";
  const std::string rows[] = {
      "+OK\r\n",
      ":1\r\n",
      "$-1\r\n",
      "-NOPERM this user has no permissions\r\n",
      "*0\r\n",
      "*-1\r\n",
      "*1\r\n$7\r\nmessage\r\n",
      "*3\r\n:1\r\n:2\r\n:3\r\n",
      "*3\r\n$-1\r\n$4\r\nnews\r\n:1\r\n",
      "*3\r\n$7\r\nmessage\r\n:4\r\n$1\r\nx\r\n",
      "*3\r\n$7\r\nmessage\r\n$4\r\nnews\r\n*1\r\n:1\r\n",
      "*3\r\n$11\r\nunsubscribe\r\n$4\r\nnews\r\n$1\r\nx\r\n",
      "*4\r\n$8\r\npmessage\r\n$1\r\n*\r\n$4\r\nnews\r\n$1\r\nx\r\n",
  };
  for (const std::string& garbage : rows) {
    CAPTURE(garbage);
    asio::io_context io;
    int subscribes = 0;
    FakeServer server(io, [&](const std::string&) { return ++subscribes == 1 ? garbage : good; });
    Client client(io, options(server.url()));
    Heard heard;
    client.subscribe({"news"}, heard.listener());
    run(io, [&]() -> asio::awaitable<void> { CHECK(co_await until([&] { return heard.established == 1; })); });
    CHECK(server.accepted() == 2);
    CHECK(heard.messages.empty());
  }
}

TEST_CASE("a message of a channel that was not asked for is nobody's") {
  asio::io_context io;
  FakeServer server(io, [&](const std::string&) {
    return std::string("*3\r\n$9\r\nsubscribe\r\n$4\r\nnews\r\n:1\r\n") +
           "*3\r\n$7\r\nmessage\r\n$5\r\nother\r\n$1\r\nx\r\n*3\r\n$7\r\nmessage\r\n$4\r\nnews\r\n$1\r\ny\r\n";
  });
  Client client(io, options(server.url()));
  Heard heard;
  client.subscribe({"news"}, heard.listener());
  run(io, [&]() -> asio::awaitable<void> { CHECK(co_await until([&] { return heard.messages.size() == 1; })); });
  CHECK(heard.messages[0].second == "y");
}

TEST_SUITE_END();
