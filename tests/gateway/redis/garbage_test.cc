#include "tests/gateway/redis/fake_server.h"

using namespace redis_test;

TEST_SUITE_BEGIN("redis");

TEST_CASE("a server that answers garbage is left and dialled again, and nothing falls over") {
  std::string deep;
  for (int i = 0; i < 20; ++i) deep += "*1\r\n";
  const std::string rows[] = {
      "hello\r\n",
      "HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n",
      "$-5\r\n",
      "*-5\r\n",
      "$99999999999999999999\r\n",
      "$9223372036854775807\r\n",
      "*9223372036854775807\r\n",
      "*2147483647\r\n",
      "*100000000\r\n",
      "*1000\r\n*1000000\r\n",
      ":12x\r\n",
      "%1\r\n+a\r\n+b\r\n",
      deep,
      std::string(4096, '\0'),
      "$3\r\nabcdef\r\n",
  };
  for (const std::string& garbage : rows) {
    CAPTURE(garbage.substr(0, 60));
    asio::io_context io;
    FakeServer server(io, [&](const std::string&) { return garbage; });
    Options given = options(server.url());
    given.timeout = 300ms;
    given.stall_timeout = 200ms;
    Client client(io, std::move(given));
    client.start();
    run(io, [&]() -> asio::awaitable<void> {
      CHECK(co_await client.connected(10s));
      co_await client.command({"GET", "x"});
      const bool left = co_await until([&] { return client.status().connects >= 2; });
      CHECK(left);
    });
  }
}

TEST_CASE("a reply that nobody asked for ends the connection, not the process") {
  asio::io_context io;
  FakeServer server(io, [](const std::string&) { return "+one\r\n+two\r\n"; });
  Client client(io, options(server.url()));
  client.start();
  run(io, [&]() -> asio::awaitable<void> {
    CHECK(co_await client.connected(10s));
    CHECK(text(co_await client.command({"GET", "x"})) == "one");
    const bool left = co_await until([&] { return client.status().connects >= 2; });
    CHECK(left);
  });
}

TEST_CASE("a server that greets with an error is told of") {
  asio::io_context io;
  FakeServer server(io, [](const std::string&) { return ""; });
  server.greet_with("-ERR max number of clients reached\r\n");
  Client client(io, options(server.url()));
  client.start();
  run(io, [&]() -> asio::awaitable<void> {
    const bool told = co_await until([&] { return !client.status().error.empty(); });
    CHECK(told);
  });
  CAPTURE(client.status().error);
  CHECK(client.status().error.find("max number of clients") != std::string::npos);
}

TEST_CASE("a reply larger than allowed ends the connection before it is held") {
  for (const bool endless : {true, false}) {
    CAPTURE(endless);
    asio::io_context io;
    const std::string size = endless ? "1000000000" : "3000000";
    FakeServer server(io,
                      [&](const std::string&) { return "$" + size + "\r\n" + std::string(3'000'000, 'x') + "\r\n"; });
    Options given = options(server.url());
    given.max_reply_bytes = 1 << 20;
    Client client(io, std::move(given));
    client.start();
    run(io, [&]() -> asio::awaitable<void> {
      CHECK(co_await client.connected(10s));
      CHECK(unavailable(co_await client.command({"GET", "x"})) == Reason::ConnectionLost);
      const bool again = co_await until([&] { return client.status().connects >= 2; });
      CHECK(again);
    });
  }
}

TEST_CASE("a server that closes on every command is not dialled without a pause") {
  asio::io_context io;
  FakeServer server(io, [](const std::string&) { return "garbage"; });
  Options given = options(server.url());
  given.backoff_min = 20ms;
  given.backoff_max = 1s;
  Client client(io, std::move(given));
  client.start();
  run(io, [&]() -> asio::awaitable<void> {
    const auto end = Clock::now() + 300ms;
    while (Clock::now() < end) {
      co_await client.command({"GET", "x"}, 10ms);
      co_await pause_for(1ms);
    }
  });
  CHECK(server.accepted() >= 2);
  CHECK(server.accepted() <= 8);  // pauses of at least 10, 20, 40, 80, 160 ms
}

TEST_CASE("what a stalled server makes us hold is bounded") {
  asio::io_context io;
  FakeServer server(io, [](const std::string&) { return ""; });
  Options given = options(server.url());
  given.max_unsent_bytes = 1 << 20;
  Client client(io, std::move(given));
  client.start();
  int refused = 0, other = 0;
  run(io, [&]() -> asio::awaitable<void> {
    CHECK(co_await client.connected(10s));
    for (int i = 0; i < 20; ++i)
      asio::co_spawn(
          io,
          [&]() -> asio::awaitable<void> {
            const Result result = co_await client.command({"SET", "x", std::string(200'000, 'x')}, 100ms);
            ++(unavailable(result) == Reason::NotConnected ? refused : other);
          },
          [](std::exception_ptr) {});
    const bool all = co_await until([&] { return refused + other == 20; });
    CHECK(all);
  });
  CHECK(other >= 5);
  CHECK(refused >= 10);
}

TEST_CASE("a handshake that is answered wrongly is not an open connection") {
  asio::io_context io;
  FakeServer server(io, [](const std::string& request) -> std::string {
    if (request.find("AUTH") != request.npos)
      return "-ERR unknown command `AUTH`, with args beginning with: `hunter2`\r\n";
    return "+OK\r\n";
  });
  Client client(io, options("redis://:hunter2@" + server.url().substr(8)));
  client.start();
  run(io, [&]() -> asio::awaitable<void> {
    const bool told = co_await until([&] { return !client.status().error.empty(); });
    CHECK(told);
  });
  CHECK(client.status().error.find("AUTH: ERR") != std::string::npos);
  CHECK(client.status().error.find("hunter2") == std::string::npos);
}

TEST_SUITE_END();
