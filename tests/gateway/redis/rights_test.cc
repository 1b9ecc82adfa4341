#include "gateway/redis/rights.h"

#include "tests/gateway/redis/harness.h"

using namespace redis_test;

TEST_SUITE_BEGIN("redis");

TEST_CASE("what a user lacks is told, and one that may do what is needed lacks nothing") {
  RedisServer server;
  const auto missing_to = [&](const std::vector<std::string>& rules) {
    std::vector<std::string> command{"ACL", "SETUSER", "gw", "reset", "on", ">pw"};
    command.insert(command.end(), rules.begin(), rules.end());
    CHECK(server.command(command) == "+OK\r\n");
    asio::io_context io;
    gateway::redis::Rights rights(io, gateway::redis::parse_url(server.url("gw:pw@")));
    std::string missing;
    run(io, [&]() -> asio::awaitable<void> { missing = co_await rights.missing(); });
    return missing;
  };
  CHECK(missing_to({"~*", "&*", "+@all"}).empty());
  CHECK(missing_to({"~cg:*", "~gateway:*", "&cg:*", "&gateway:*", "+@all", "-@dangerous", "+info"}).empty());
  const struct {
    std::vector<std::string> rules;
    std::string said;
  } rows[] = {
      {{"~*", "resetchannels", "+@all"}, "PUBLISH: ERR The user executing the script can't publish"},
      {{"~*", "&*", "+@all", "-publish"}, "PUBLISH: "},
      {{"~*", "&*", "+@all", "-subscribe"}, "SUBSCRIBE to cg:* is refused"},
      {{"~*", "&*", "+@all", "-@scripting"}, "eval"},
      {{"~cg:*", "&*", "+@all"}, "key"},
      {{"~*", "&*", "+@all", "-@sortedset"}, "ZADD: "},
  };
  for (const auto& [rules, said] : rows) {
    const auto missing = missing_to(rules);
    CAPTURE(said);
    CHECK_MESSAGE(missing.find(said) != std::string::npos, missing);
    CHECK(missing.find("pw") == std::string::npos);
  }
}

TEST_CASE("a Redis that is full forbids nothing") {
  RedisServer server({.arguments = {"--maxmemory", "1", "--maxmemory-policy", "noeviction"}});
  asio::io_context io;
  gateway::redis::Rights rights(io, gateway::redis::parse_url(server.url()));
  run(io, [&]() -> asio::awaitable<void> { CHECK((co_await rights.missing()).empty()); });
}

TEST_CASE("of a server that is not there no right is missing") {
  asio::io_context io;
  gateway::redis::Rights rights(io, gateway::redis::parse_url("redis://127.0.0.1:1"));
  run(io, [&]() -> asio::awaitable<void> { CHECK((co_await rights.missing()).empty()); });
}

TEST_SUITE_END();
