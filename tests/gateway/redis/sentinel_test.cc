#include "tests/gateway/redis/fake_server.h"

using namespace redis_test;

TEST_SUITE_BEGIN("redis");

namespace {

RedisServer::Options sentinel_of(const RedisServer& master) {
  return {.arguments = {"--sentinel"},
          .config = "sentinel monitor main 127.0.0.1 " + std::to_string(master.port()) +
                    " 1\nsentinel down-after-milliseconds main 200\nsentinel failover-timeout main 1000\n"};
}

std::string sentinel_url(std::vector<std::uint16_t> ports, const std::string& master) {
  std::string url = "redis+sentinel://";
  for (const auto port : ports) url += (url.back() == '/' ? "127.0.0.1:" : ",127.0.0.1:") + std::to_string(port);
  return url + "/" + master;
}

asio::awaitable<bool> until_says(const RedisServer& server, std::vector<std::string> command, std::string part) {
  co_return co_await until([&] { return server.command(command).find(part) != std::string::npos; });
}

}  // namespace

TEST_CASE("the master is asked of the sentinels in turn, and again after a fail-over") {
  RedisServer master({.arguments = {"--repl-diskless-sync-delay", "0"}});
  RedisServer replica({.arguments = {"--replicaof", "127.0.0.1 " + std::to_string(master.port())}});
  asio::io_context setup;
  run(setup, [&]() -> asio::awaitable<void> {
    CHECK(co_await until_says(replica, {"INFO", "replication"}, "master_link_status:up"));
  });
  RedisServer sentinel(sentinel_of(master));
  // Its pace is made for networks: INFO every 10 s, and so on.
  CHECK(sentinel.command({"SENTINEL", "DEBUG", "info-period", "50", "ping-period", "50", "ask-period", "50",
                          "publish-period", "100"}) == "+OK\r\n");
  // Bound and not listening: connections to it are refused, and nobody else can take the port meanwhile.
  asio::ip::tcp::acceptor deaf(setup, asio::ip::tcp::v4());
  deaf.bind({asio::ip::address_v4::loopback(), 0});
  Session session(options(sentinel_url({deaf.local_endpoint().port(), sentinel.port()}, "main")));
  const std::string first = session.client.status().run_id;
  run(session.io, [&]() -> asio::awaitable<void> {
    CHECK(text(co_await session.client.command({"SET", "a", "1"})) == "OK");
    CHECK(co_await until_says(sentinel, {"SENTINEL", "replicas", "main"}, std::to_string(replica.port())));
    CHECK(co_await until_says(replica, {"GET", "a"}, "\n1\r"));
  });
  CHECK(master.command({"GET", "a"}) == "$1\r\n1\r\n");
  master.kill();
  run(session.io, [&]() -> asio::awaitable<void> {
    CHECK(co_await until([&] { return session.client.status().up && session.client.status().run_id != first; }, 15s));
    CHECK(text(co_await session.client.command({"GET", "a"})) == "1");
    CHECK(text(co_await session.client.command({"SET", "a", "2"})) == "OK");
  });
  CHECK(replica.command({"GET", "a"}) == "$1\r\n2\r\n");
}

TEST_CASE("a master that no sentinel knows, and sentinels that are not there, are told") {
  RedisServer master;
  RedisServer sentinel(sentinel_of(master));
  struct Row {
    std::string url, says;
  };
  const Row rows[] = {
      {sentinel_url({sentinel.port()}, "other"), "it knows no master named other"},
      {sentinel_url({test_support::free_port()}, "main"), "Connection refused"},
      {sentinel_url({master.port()}, "main"), "SENTINEL: ERR unknown command"},
  };
  for (const Row& row : rows) {
    asio::io_context io;
    Client client(io, options(row.url));
    client.start();
    run(io, [&]() -> asio::awaitable<void> {
      const bool told = co_await until([&] { return !client.status().error.empty(); });
      CHECK(told);
    });
    CAPTURE(client.status().error);
    CHECK(client.status().error.find(row.says) != std::string::npos);
  }
}

TEST_CASE("a sentinel's wrong answer is told, and a replica it names is refused") {
  RedisServer master;
  RedisServer replica({.arguments = {"--replicaof", "127.0.0.1 " + std::to_string(master.port())}});
  const std::string port = std::to_string(replica.port());
  struct Row {
    std::string answer, says;
  };
  const Row rows[] = {
      {"*2\r\n$9\r\n127.0.0.1\r\n$" + std::to_string(port.size()) + "\r\n" + port + "\r\n", "is a replica"},
      {"*2\r\n$9\r\n127.0.0.1\r\n$1\r\nx\r\n", "no host and port"},
      {"*2\r\n$9\r\n127.0.0.1\r\n:6379\r\n", "no host and port"},
      {"*1\r\n$9\r\n127.0.0.1\r\n", "no host and port"},
      {"+OK\r\n", "no host and port"},
      {"nonsense\r\n", "not RESP2"},
  };
  for (const Row& row : rows) {
    asio::io_context io;
    FakeServer sentinel(io, [&](const std::string&) { return row.answer; });
    Client client(io, options("redis+sentinel://" + sentinel.url().substr(8) + "/main"));
    client.start();
    run(io, [&]() -> asio::awaitable<void> {
      const bool told = co_await until([&] { return !client.status().error.empty(); });
      CHECK(told);
    });
    CAPTURE(client.status().error);
    CHECK(client.status().error.find(row.says) != std::string::npos);
    CHECK_FALSE(client.status().up);
  }
}

TEST_SUITE_END();
