// /readyz on a running gateway: each part, and why it is not as it should be.
#include <doctest/doctest.h>

#include <csignal>

#include "tests/support/eventually.h"
#include "tests/support/gateway_process.h"
#include "tests/support/http_client.h"
#include "tests/support/json.h"
#include "tests/support/paths.h"
#include "tests/support/redis_server.h"
#include "tests/support/simulator_process.h"

using namespace test_support;

namespace {

constexpr milliseconds kLimit{20'000};

struct Readiness {
  int status = 0;
  std::string body;
  // "ready: why" of a part; empty where it is not named.
  std::string part(const std::string& name) const {
    const Json json(body);
    for (int i = 0; json.has("parts." + std::to_string(i) + ".name"); ++i) {
      const auto at = "parts." + std::to_string(i) + ".";
      if (json.text(at + "name") == name)
        return (json.boolean(at + "ready") ? "ready: " : "not: ") + json.text(at + "why");
    }
    return {};
  }
};

Readiness readiness(GatewayProcess& gateway) {
  const auto answer = HttpClient(gateway.admin_address()).get("/readyz");
  return {answer.status, answer.body};
}

}  // namespace

TEST_SUITE("readiness") {
  TEST_CASE("an open circuit and a lost Redis are told of, and leave the gateway ready; one that ends is not") {
    SimulatorProcess simulator{{.arguments = {"--limit", "0"}}};
    RedisServer redis;
    GatewayProcess gateway(
        {.upstream = simulator.url(),
         .settings = {{"credentials.token", "simulator-token"}, {"redis.url", redis.url()}, {"retry.budget", "0%"}}});
    CHECK(eventually(kLimit, [&] { return readiness(gateway).part("redis") == "ready: "; }));
    auto now = readiness(gateway);
    CHECK_MESSAGE(now.status == 200, now.body);
    for (const char* part : {"gateway", "listeners", "upstream"}) CHECK_MESSAGE(now.part(part) == "ready: ", now.body);

    HttpClient(simulator.address())
        .send({.method = "POST", .target = "/_simulator/faults", .body = R"({"fault":"status=503"})"});
    HttpClient client(gateway.address());
    CHECK(eventually(kLimit, [&] {
      client.get("/contacts/contact0000000000001", {{"Cache-Control", "no-store"}});
      return readiness(gateway).part("upstream").find("the circuit is open") != std::string::npos;
    }));
    redis.kill();
    CHECK(eventually(kLimit, [&] { return readiness(gateway).part("redis").find("away") != std::string::npos; }));
    now = readiness(gateway);
    CHECK_MESSAGE(now.status == 200, now.body);

    HttpClient idle(gateway.address());
    CHECK(idle.get("/nope").status == 404);  // the drain waits for it
    gateway.process().signal(SIGTERM);
    CHECK(eventually(kLimit, [&] { return readiness(gateway).status == 503; }));
    now = readiness(gateway);
    CHECK_MESSAGE(now.part("listeners").starts_with("not: no new connection is taken"), now.body);
    CHECK(gateway.process().wait_for_exit(kLimit) == 0);
  }

  TEST_CASE("why Redis cannot be used stands in the log, also where it never could be, and never its password") {
    const std::string secret = "a-password-nobody-may-read";
    RedisServer locked({.arguments = {"--requirepass", "another-one"}, .auth = {"another-one"}}), open;
    RedisServer copy({.arguments = {"--replicaof", "127.0.0.1", std::to_string(open.port())}});
    const std::pair<std::string, std::string> rows[] = {
        {locked.url("user:" + secret + "@"), "WRONGPASS"},
        {locked.url(), "NOAUTH"},
        {open.url({}, 99), "SELECT: ERR DB index is out of range"},
        {copy.url(), "the server is a replica"},
        {"redis://:" + secret + "@127.0.0.1:" + std::to_string(free_port()), "Connection refused"},
    };
    for (const auto& [url, why] : rows) {
      CAPTURE(why);
      GatewayProcess gateway({.upstream = "http://127.0.0.1:1", .settings = {{"redis.url", url}}});
      std::string text, line;
      const auto told = [&] {
        text = gateway.process().output(Stream::Error);
        line = text.substr(std::min(text.find("\"event\":\"redis_lost\""), text.size()));
        return line.find('\n') != std::string::npos;
      };
      REQUIRE(eventually(kLimit, told));
      CHECK_MESSAGE(line.substr(0, line.find('\n')).find(why) != std::string::npos, text);
      CHECK(text.find(secret) == std::string::npos);
    }
  }

  TEST_CASE("a Redis user that lacks a right is told of in the log and in /readyz, and by check --connect") {
    RedisServer redis;
    CHECK(redis.command({"ACL", "SETUSER", "gw", "on", ">pw", "~*", "resetchannels", "+@all"}) == "+OK\r\n");
    const auto url = redis.url("gw:pw@");
    SimulatorProcess simulator({.arguments = {"--token", "pit-test"}});
    GatewayProcess gateway({.upstream = simulator.url(), .settings = {{"redis.url", url}}});
    CHECK(eventually(kLimit,
                     [&] { return readiness(gateway).part("redis").find("lacks a right") != std::string::npos; }));
    CHECK(readiness(gateway).status == 200);
    CHECK(gateway.process().output(Stream::Error).find("\"event\":\"redis_forbids\",\"why\":\"PUBLISH: ") !=
          std::string::npos);
    Process check({.arguments = {binary_dir() + "/contacts-gateway", "check", "--connect"},
                   .environment = {"GATEWAY_CREDENTIALS_TOKEN=pit-test", "GATEWAY_REDIS_URL=" + url,
                                   "GATEWAY_UPSTREAM_URL=" + simulator.url()},
                   .unset_prefix = "GATEWAY_"});
    CHECK(check.wait_for_exit(kLimit) == 4);
    CHECK(check.output(Stream::Out).find("Redis, rights") != std::string::npos);
  }

  // They would answer each other's reads.
  TEST_CASE("a gateway that comes to the Redis of another upstream's says so in the log") {
    RedisServer redis;
    const auto told = [&](const std::string& upstream, const std::string& event) {
      GatewayProcess gateway({.upstream = upstream, .settings = {{"redis.url", redis.url()}}});
      return eventually(kLimit, [&] {
        return gateway.process().output(Stream::Error).find("\"event\":\"" + event + "\"") != std::string::npos;
      });
    };
    CHECK(told("http://127.0.0.1:1", "redis_connected"));
    CHECK(eventually(kLimit, [&] {
      return redis.command({"GET", "cg:upstream"}).find("127.0.0.1:1") != std::string::npos;
    }));
    CHECK(told("http://127.0.0.1:2", "redis_of_another_upstream"));
  }
}
