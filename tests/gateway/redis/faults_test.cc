#include "tests/gateway/redis/harness.h"

using namespace redis_test;

TEST_SUITE_BEGIN("redis");

TEST_CASE("while there is no server, commands fail at once and the reason is told") {
  asio::io_context io;
  std::vector<Status> seen;
  Options given = options("redis://:hunter2@127.0.0.1:" + std::to_string(test_support::free_port()));
  given.on_status = [&](const Status& status) { seen.push_back(status); };
  Client client(io, std::move(given));
  client.start();
  run(io, [&]() -> asio::awaitable<void> {
    CHECK(unavailable(co_await client.command({"PING"})) == Reason::NotConnected);
    CHECK_FALSE(co_await client.connected(100ms));
  });
  REQUIRE(seen.size() == 1);  // tried again and again, told once
  CHECK_FALSE(seen[0].up);
  CHECK(seen[0].error.find("Connection refused") != std::string::npos);
  CHECK(seen[0].error.find("hunter2") == std::string::npos);
}

TEST_CASE("names are resolved and an unknown one is told") {
  RedisServer server;
  Session session(options("redis://localhost:" + std::to_string(server.port())));
  asio::io_context io;
  Client client(io, options("redis://no-such-host.invalid"));
  client.start();
  run(io, [&]() -> asio::awaitable<void> {
    const bool told = co_await until([&] { return !client.status().error.empty(); });
    CHECK(told);
  });
  CHECK(client.status().error == "no-such-host.invalid was not resolved");
}

TEST_CASE("IPv6 addresses are dialled") {
  std::optional<RedisServer> server;
  try {
    server.emplace(RedisServer::Options{.arguments = {"--bind", "127.0.0.1", "::1"}});
  } catch (const std::runtime_error&) {
    MESSAGE("this machine has no IPv6 loopback");
    return;
  }
  Session session(options("redis://[::1]:" + std::to_string(server->port())));
  CHECK(session.client.status().up);
}

TEST_CASE("a stopped server costs a command its time limit and no more, and its late replies reach nobody") {
  RedisServer server;
  Options given = options(server.url());
  given.timeout = 50ms;
  given.stall_timeout = 5s;
  Session session(std::move(given));
  server.pause();
  CHECK_FALSE(session.client.silent());
  run(session.io, [&]() -> asio::awaitable<void> {
    for (int i = 0; i < 3; ++i) {
      const auto began = Clock::now();
      CHECK(unavailable(co_await session.client.command({"ECHO", "stale"})) == Reason::Timeout);
      CHECK(session.client.silent());
      CHECK(Clock::now() - began >= 50ms);
      CHECK(Clock::now() - began < 150ms);
    }
    const auto began = Clock::now();
    CHECK(unavailable(co_await session.client.command({"ECHO", "stale"}, 10ms)) == Reason::Timeout);
    CHECK(Clock::now() - began < 45ms);
  });
  server.resume();
  run(session.io, [&]() -> asio::awaitable<void> {
    for (int i = 0; i < 100; ++i)
      CHECK(text(co_await session.client.command({"ECHO", std::to_string(i)}, 5s)) == std::to_string(i));
  });
  CHECK_FALSE(session.client.silent());
  CHECK(session.client.status().connects == 1);
}

TEST_CASE("a server silent for long is left, and found again when it goes on") {
  RedisServer server;
  Options given = options(server.url());
  given.timeout = 20ms;
  given.stall_timeout = 100ms;
  Session session(std::move(given));
  server.pause();
  run(session.io, [&]() -> asio::awaitable<void> {
    CHECK(unavailable(co_await session.client.command({"PING"})) == Reason::Timeout);
    const bool left = co_await until([&] { return !session.client.status().up; });
    CHECK(left);
    CHECK(session.client.status().error == "the server stopped answering");
    CHECK(unavailable(co_await session.client.command({"PING"})) == Reason::NotConnected);
  });
  server.resume();
  run(session.io, [&]() -> asio::awaitable<void> {
    CHECK(co_await session.client.connected(10s));
    CHECK(text(co_await session.client.command({"ECHO", "again"}, 5s)) == "again");
  });
}

TEST_CASE("a long limit of a command outlasts the silence limit") {
  RedisServer server;
  Options given = options(server.url());
  given.stall_timeout = 20ms;
  Session session(std::move(given));
  run(session.io, [&]() -> asio::awaitable<void> {
    CHECK(as<Nil>(co_await session.client.command({"BLPOP", "nothing", "0.2"}, 5s)).has_value());
  });
  CHECK(session.client.status().connects == 1);
}

TEST_CASE("a killed server's outstanding commands are answered, and its successor is found by itself") {
  RedisServer server;
  std::vector<Status> seen;
  Options given = options(server.url());
  given.on_status = [&](const Status& status) { seen.push_back(status); };
  Session session(std::move(given));
  const std::string first = session.client.status().run_id;
  CHECK(first.size() == 40);
  server.pause();
  std::optional<Result> outstanding;
  asio::co_spawn(
      session.io, [&]() -> asio::awaitable<void> { outstanding = co_await session.client.command({"PING"}); },
      [](std::exception_ptr) {});
  run(session.io, [&]() -> asio::awaitable<void> { co_await pause_for(5ms); });
  server.kill();
  run(session.io, [&]() -> asio::awaitable<void> {
    const bool answered = co_await until([&] { return outstanding.has_value(); });
    CHECK(answered);
  });
  CHECK(unavailable(*outstanding) == Reason::ConnectionLost);
  CHECK_FALSE(session.client.status().up);
  server.start();
  run(session.io, [&]() -> asio::awaitable<void> {
    CHECK(co_await session.client.connected(10s));
    CHECK(text(co_await session.client.command({"PING"})) == "PONG");
  });
  CHECK(session.client.status().run_id.size() == 40);
  CHECK(session.client.status().run_id != first);
  CHECK(session.client.status().connects == 2);
  CHECK(seen.front().up);
  CHECK(seen.back().up);
}

TEST_CASE("the user, the password and the database of the URL are used") {
  RedisServer server(
      {.config = "user default off\nuser app on >p@ss/word ~* &* +@all\n", .auth = {"app", "p@ss/word"}});
  {
    Session session(options(server.url("app:p%40ss%2Fword@", 3)));
    run(session.io, [&]() -> asio::awaitable<void> {
      CHECK(text(co_await session.client.command({"SET", "where", "three"})) == "OK");
      const std::string info = text(co_await session.client.command({"CLIENT", "INFO"}));
      CHECK(info.find(" db=3 ") != info.npos);
      CHECK(info.find(" user=app ") != info.npos);
    });
  }
  struct Row {
    std::string userinfo;
    int database;
    const char* says;
  };
  const Row rows[] = {
      {"app:hunter2@", 0, "AUTH: WRONGPASS"},
      {":hunter2@", 0, "AUTH: WRONGPASS"},
      {"", 0, "INFO: NOAUTH"},
      {"app:p%40ss%2Fword@", 99, "SELECT: ERR DB index is out of range"},
  };
  for (const Row& row : rows) {
    asio::io_context io;
    Client client(io, options(server.url(row.userinfo, row.database)));
    client.start();
    run(io, [&]() -> asio::awaitable<void> {
      const bool told = co_await until([&] { return !client.status().error.empty(); });
      CHECK(told);
    });
    CAPTURE(client.status().error);
    CHECK_FALSE(client.status().up);
    CHECK(client.status().error.find(row.says) != std::string::npos);
    CHECK(client.status().error.find("hunter2") == std::string::npos);
    CHECK(client.status().error.find("p@ss") == std::string::npos);
  }
}

TEST_CASE("a password alone authenticates, and one that nobody asked for is told") {
  RedisServer closed({.arguments = {"--requirepass", "s3cret"}, .auth = {"s3cret"}});
  Session session(options(closed.url(":s3cret@")));
  CHECK(session.client.status().up);
  RedisServer open_to_all;
  asio::io_context io;
  Client client(io, options(open_to_all.url(":hunter2@")));
  client.start();
  run(io, [&]() -> asio::awaitable<void> {
    const bool told = co_await until([&] { return !client.status().error.empty(); });
    CHECK(told);
  });
  CHECK(client.status().error.find("AUTH: ERR") != std::string::npos);
  CHECK(client.status().error.find("hunter2") == std::string::npos);
}

TEST_CASE("a replica is refused, and left when it became one") {
  RedisServer master, replica;
  Session session(options(replica.url()));
  replica.command({"REPLICAOF", "127.0.0.1", std::to_string(master.port())});
  run(session.io, [&]() -> asio::awaitable<void> {
    CHECK(error(co_await session.client.command({"SET", "a", "b"})).starts_with("READONLY"));
    const bool refused =
        co_await until([&] { return session.client.status().error.find("is a replica") != std::string::npos; });
    CHECK(refused);
  });
  replica.command({"REPLICAOF", "NO", "ONE"});
  run(session.io, [&]() -> asio::awaitable<void> {
    CHECK(co_await session.client.connected(10s));
    CHECK(text(co_await session.client.command({"SET", "a", "b"})) == "OK");
  });
}

TEST_SUITE_END();
