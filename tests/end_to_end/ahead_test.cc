// A miss with Redis is one round trip: where lookups of late found nothing, the permit is asked for behind the lookup,
// and goes back where the lookup found something after all.
#include <doctest/doctest.h>

#include "tests/support/eventually.h"
#include "tests/support/gateway_process.h"
#include "tests/support/http_client.h"
#include "tests/support/redis_server.h"
#include "tests/support/simulator_process.h"
#include "tests/support/tcp_relay.h"

using namespace test_support;
using namespace std::chrono_literals;

namespace {

std::string contact(int number) {
  const auto digits = std::to_string(number);
  return "/contacts/contact" + std::string(13 - digits.size(), '0') + digits;
}

int taken_slots(const RedisServer& redis) {
  const auto reply = redis.command({"EVAL", R"(
    local taken = 0
    for _, key in ipairs(redis.call('KEYS', 'gateway:limit:*:slots')) do taken = taken + redis.call('ZCARD', key) end
    return taken)",
                                    "0"});
  return std::atoi(reply.c_str() + 1);
}

}  // namespace

TEST_SUITE("ahead") {
  TEST_CASE("a miss takes its permit in the lookup's round trip, and a lookup that finds an entry gives it back") {
    RedisServer redis;
    TcpRelay relay(redis.port());
    SimulatorProcess simulator({.arguments = {"--limit", "0", "--daily", "0", "--contacts", "50"}});
    const auto gateway = [&](std::uint16_t port) {
      return GatewayOptions{.upstream = simulator.url(),
                            .settings = {{"credentials.token", "simulator-token"},
                                         {"redis.url", "redis://127.0.0.1:" + std::to_string(port)},
                                         {"redis.timeout", "5s"},
                                         {"rate_limit.interval", "60s"},  // no slot comes back meanwhile
                                         {"log.requests", "errors"}}};
    };
    GatewayProcess asked(gateway(relay.port())), other(gateway(redis.port()));
    HttpClient client(asked.address()), filler(other.address());
    const auto stores = [](HttpClient& of, int number) {
      return eventually(
          10s, [&] { return of.get(contact(number)).field("Cache-Status").find("; hit") != std::string::npos; });
    };
    REQUIRE(stores(client, 1));
    for (int number = 2; number < 14; ++number) REQUIRE(client.get(contact(number)).status == 200);
    REQUIRE(stores(filler, 30));
    const int before = taken_slots(redis);

    relay.set(TcpRelay::Mode::HoldAnswers);
    client.write(to_bytes({.target = contact(20)}, "gateway"));
    CHECK(eventually(5s, [&] { return taken_slots(redis) == before + 1; }));
    relay.set(TcpRelay::Mode::Pass);
    CHECK(client.read().status == 200);

    relay.set(TcpRelay::Mode::HoldAnswers);
    client.write(to_bytes({.target = contact(30)}, "gateway"));
    CHECK(eventually(5s, [&] { return taken_slots(redis) == before + 2; }));
    relay.set(TcpRelay::Mode::Pass);
    CHECK(client.read().field("Cache-Status").find("; hit") != std::string::npos);
    CHECK(eventually(5s, [&] { return taken_slots(redis) == before + 1; }));
  }
}
