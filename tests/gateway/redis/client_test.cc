#include <algorithm>
#include <asio/bind_cancellation_slot.hpp>
#include <asio/cancellation_signal.hpp>
#include <stdexcept>

#include "gateway/redis/call.h"
#include "tests/gateway/redis/harness.h"

using namespace redis_test;

TEST_SUITE_BEGIN("redis");

TEST_CASE("commands and replies of every kind pass, bytes as they are") {
  RedisServer server;
  Session session(options(server.url()));
  run(session.io, [&]() -> asio::awaitable<void> {
    Client& redis = session.client;
    const std::string bytes("\0\r\n$-1\r\n\xff binary", 16);
    CHECK(text(co_await redis.command({"SET", bytes, bytes})) == "OK");
    CHECK(text(co_await redis.command({"GET", bytes})) == bytes);
    CHECK(as<std::int64_t>(co_await redis.command({"INCRBY", "n", "9007199254740993"})) == 9007199254740993);
    CHECK(as<Nil>(co_await redis.command({"GET", "missing"})).has_value());
    CHECK(text(co_await redis.command({"SET", "empty", ""})) == "OK");
    CHECK(text(co_await redis.command({"GET", "empty"})).empty());
    const auto list = as<Array>(co_await redis.command({"MGET", bytes, "missing", "n"}));
    REQUIRE(list.has_value());
    REQUIRE(list->size() == 3);
    CHECK(std::get<std::string>((*list)[0].data) == bytes);
    CHECK(std::holds_alternative<Nil>((*list)[1].data));
    CHECK(error(co_await redis.command({"INCR", bytes})).starts_with("ERR value is not an integer"));
    CHECK(error(co_await redis.command({"NOSUCH"})).starts_with("ERR unknown command"));
    CHECK(error(co_await redis.command({"subscribe", "x"})).starts_with("ERR"));
    CHECK(error(co_await redis.command({})).starts_with("ERR"));
    CHECK(text(co_await redis.command({"PING"})) == "PONG");
  });
}

TEST_CASE("ten thousand commands outstanding at once are answered in their order") {
  RedisServer server;
  Session session(options(server.url()));
  int answered = 0, wrong = 0;
  for (int i = 0; i < 10'000; ++i) {
    const std::string value = std::to_string(i);
    asio::co_spawn(
        session.io,
        [&, value]() -> asio::awaitable<void> {
          const Result result = co_await session.client.command({"ECHO", value});
          ++answered;
          if (text(result) != value) ++wrong;
        },
        [](std::exception_ptr) {});
  }
  run(session.io, [&]() -> asio::awaitable<void> {
    const bool all = co_await until([&] { return answered == 10'000; });
    CHECK(all);
  });
  CHECK(wrong == 0);
}

TEST_CASE("a value of megabytes passes both ways") {
  RedisServer server;
  Session session(options(server.url()));
  run(session.io, [&]() -> asio::awaitable<void> {
    std::string big(8 << 20, 'x');
    for (std::size_t i = 0; i < big.size(); i += 4099) big[i] = static_cast<char>(i);
    CHECK(text(co_await session.client.command({"SET", "big", big})) == "OK");
    const bool same = text(co_await session.client.command({"GET", "big"})) == big;
    CHECK(same);
  });
}

TEST_CASE("a script is loaded again when the server does not know it") {
  RedisServer server;
  Session session(options(server.url()));
  const auto script = std::make_shared<const Script>(Script{"pair", "return {KEYS[1], ARGV[1], ARGV[2]}"});
  CHECK(script->sha1.size() == 40);
  const auto evaluate = [&]() -> asio::awaitable<std::string> {
    const auto list = as<Array>(co_await session.client.eval(script, {"key"}, {"a", "b"}));
    std::string joined;
    for (const Value& item : list.value_or(Array{})) joined += std::get<std::string>(item.data) + ",";
    co_return joined;
  };
  run(session.io, [&]() -> asio::awaitable<void> {
    CHECK(co_await evaluate() == "key,a,b,");
    CHECK(text(co_await session.client.command({"CONFIG", "RESETSTAT"})) == "OK");
    CHECK(co_await evaluate() == "key,a,b,");
    const std::string stats = text(co_await session.client.command({"INFO", "commandstats"}));
    CHECK(stats.find("cmdstat_evalsha:calls=1") != stats.npos);
    CHECK(stats.find("cmdstat_eval:") == stats.npos);  // it was known: sent by its name alone
    CHECK(text(co_await session.client.command({"SCRIPT", "FLUSH"})) == "OK");
    CHECK(co_await evaluate() == "key,a,b,");
  });
  const auto connects = session.client.status().connects;
  server.restart();
  run(session.io, [&]() -> asio::awaitable<void> {
    const bool again = co_await until([&] { return session.client.status().connects > connects; });
    CHECK(again);
    CHECK(co_await evaluate() == "key,a,b,");
  });
}

TEST_CASE("a script's own error is an answer") {
  RedisServer server;
  Session session(options(server.url()));
  run(session.io, [&]() -> asio::awaitable<void> {
    const auto broken = std::make_shared<const Script>(Script{"broken", "this is no Lua"});
    CHECK(error(co_await session.client.eval(broken, {}, {})).starts_with("ERR Error compiling script"));
    const auto refusing = std::make_shared<const Script>(Script{"refusing", "return redis.error_reply('FENCED off')"});
    CHECK(error(co_await session.client.eval(refusing, {}, {})) == "FENCED off");
  });
}

TEST_CASE("a server out of memory answers with its error") {
  RedisServer server({.arguments = {"--maxmemory", "1mb", "--maxmemory-policy", "noeviction"}});
  Session session(options(server.url()));
  run(session.io, [&]() -> asio::awaitable<void> {
    Result result = co_await session.client.command({"SET", "a", std::string(2 << 20, 'x')});
    if (error(result) == "(no error)") result = co_await session.client.command({"SET", "b", "x"});
    CHECK(error(result).starts_with("OOM"));
  });
}

TEST_CASE("a cancelled command ends at once and its late reply is dropped") {
  RedisServer server;
  Session session(options(server.url()));
  server.pause();
  asio::cancellation_signal cancel;
  std::optional<Result> cancelled;
  asio::co_spawn(
      session.io,
      [&]() -> asio::awaitable<void> {
        cancelled = co_await session.client.command({"ECHO", "stale"});
      },
      asio::bind_cancellation_slot(cancel.slot(), [](std::exception_ptr) {}));
  run(session.io, [&]() -> asio::awaitable<void> {
    co_await pause_for(5ms);
    CHECK_FALSE(cancelled.has_value());
    cancel.emit(asio::cancellation_type::terminal);
    cancel.emit(asio::cancellation_type::terminal);
    const bool ended = co_await until([&] { return cancelled.has_value(); }, 1s);
    CHECK(ended);
  });
  REQUIRE(cancelled.has_value());
  CHECK(unavailable(*cancelled) == Reason::Cancelled);
  server.resume();
  run(session.io, [&]() -> asio::awaitable<void> {
    CHECK(text(co_await session.client.command({"ECHO", "fresh"})) == "fresh");
  });
  CHECK(session.client.status().connects == 1);
}

TEST_CASE("a client destroyed with commands outstanding answers them") {
  RedisServer server;
  asio::io_context io;
  auto client = std::make_unique<Client>(io, options(server.url()));
  client->start();
  run(io, [&]() -> asio::awaitable<void> { CHECK(co_await client->connected(10s)); });
  server.pause();
  int lost = 0;
  for (int i = 0; i < 100; ++i)
    asio::co_spawn(
        io,
        [&]() -> asio::awaitable<void> {
          if (unavailable(co_await client->command({"PING"})) == Reason::ConnectionLost) ++lost;
        },
        [](std::exception_ptr) {});
  run(io, [&]() -> asio::awaitable<void> { co_await pause_for(5ms); });
  client.reset();
  io.restart();
  io.run();  // returns: nothing of the client is left to wait for
  CHECK(lost == 100);
}

TEST_CASE("a client and its loop may go with everything outstanding") {
  RedisServer server;
  {
    asio::io_context io;
    Client client(io, options(server.url()));
    client.start();
    client.subscribe({"news"}, [](std::string_view, std::string_view) {});
    run(io, [&]() -> asio::awaitable<void> { CHECK(co_await client.connected(10s)); });
    server.pause();
    for (int i = 0; i < 10; ++i)
      asio::co_spawn(
          io, [&]() -> asio::awaitable<void> { co_await client.command({"PING"}); }, [](std::exception_ptr) {});
    run(io, [&]() -> asio::awaitable<void> { co_await pause_for(5ms); });
  }
  {
    asio::io_context io;
    Client client(io, options(server.url()));  // its handshake is not answered
    client.start();
    run(io, [&]() -> asio::awaitable<void> { co_await pause_for(5ms); });
  }
}

TEST_CASE("who throws when he is told of his replies keeps nobody else from being told") {
  struct Told final : gateway::redis::Call {
    explicit Told(bool then_throws) : throws(then_throws) {}
    void take(const gateway::redis::ReplyView&) override {}
    void done(std::optional<gateway::redis::Unavailable>) override {
      ++times;
      if (throws) throw std::runtime_error("no memory left");
    }
    const bool throws;
    int times = 0;
  };
  RedisServer server;
  Session session(options(server.url()));
  std::vector<std::shared_ptr<Told>> calls;
  run(session.io, [&]() -> asio::awaitable<void> { co_await session.client.command({"PING"}); });
  for (int i = 0; i < 6; ++i) {
    calls.push_back(std::make_shared<Told>(i % 2 == 0));
    session.client.ask("PING", gateway::redis::Words({"PING"}), calls.back(), 5s);
  }
  int thrown = 0;
  const auto all = [&] {
    return std::all_of(calls.begin(), calls.end(), [](const auto& each) { return each->times; });
  };
  session.io.restart();
  while (!all()) {
    try {
      if (session.io.run_one_for(10s) == 0) break;
    } catch (const std::runtime_error&) {
      ++thrown;
    }
  }
  CHECK(thrown >= 1);
  for (const auto& each : calls) CHECK(each->times == 1);
}

TEST_CASE("who throws when he is told that Redis is there does not end the dialling") {
  RedisServer server;
  Options given = options(server.url());
  int told = 0;
  given.on_status = [&](const gateway::redis::Status& status) {
    if (status.up && ++told == 1) throw std::runtime_error("no memory left");
  };
  Session session(std::move(given));
  run(session.io, [&]() -> asio::awaitable<void> {
    const bool again = co_await until([&] { return told >= 2; });
    CHECK(again);
    CHECK(co_await session.client.connected(5s));
    CHECK(text(co_await session.client.command({"PING"})) == "PONG");
  });
}

TEST_CASE("each command is counted once under its name, scripts under theirs") {
  RedisServer server;
  Options given = options(server.url());
  std::vector<std::string> names;
  given.on_command = [&](std::string_view name, std::chrono::nanoseconds time) {
    names.emplace_back(name);
    CHECK(time.count() > 0);
  };
  Session session(std::move(given));
  run(session.io, [&]() -> asio::awaitable<void> {
    co_await session.client.command({"GET", "x"});
    co_await session.client.eval(std::make_shared<const Script>(Script{"lookup", "return 1"}), {}, {});
  });
  CHECK(names == std::vector<std::string>{"GET", "lookup"});
}

TEST_SUITE_END();
