// server.memory_limit: who is refused while the process uses more, and that it ends.
#include <doctest/doctest.h>

#include "tests/support/eventually.h"
#include "tests/support/gateway_process.h"
#include "tests/support/http_client.h"
#include "tests/support/json.h"
#include "tests/support/sanitized.h"
#include "tests/support/simulator_process.h"

using namespace std::chrono_literals;
using test_support::eventually;
using test_support::GatewayProcess;
using test_support::HttpClient;
using test_support::Json;
using test_support::SimulatorProcess;

namespace {
constexpr auto kLimit = 20s;

std::uint64_t resident(const GatewayProcess& gateway) {
  const auto text = HttpClient(gateway.admin_address()).get("/metrics").body;
  const std::string name = "\nprocess_resident_memory_bytes ";
  return static_cast<std::uint64_t>(std::stod(text.substr(text.find(name) + name.size())));
}
}  // namespace

TEST_SUITE("memory limit") {
  TEST_CASE("over its limit the gateway answers 503 in words, counts it, and stays reachable for its operator") {
    SimulatorProcess simulator({.arguments = {"--token", "pit-test"}});
    GatewayProcess gateway({.upstream = simulator.url(), .settings = {{"server.memory_limit", "1MiB"}}});
    HttpClient client(gateway.address()), admin(gateway.admin_address());
    REQUIRE(eventually(kLimit, [&] { return client.get("/contacts/?locationId=loc_demo").status == 503; }));
    const auto refused = client.get("/contacts/?locationId=loc_demo");
    CHECK(refused.field("Content-Type") == "application/problem+json");
    CHECK(refused.field("Proxy-Status").find("contacts-gateway") == 0);
    CHECK(refused.field("Retry-After") == "1");
    CHECK(Json(refused.body).text("type").ends_with("/memory-limit"));
    const auto metrics = admin.get("/metrics").body;
    CHECK(metrics.find("\ngateway_memory_limit_bytes 1048576\n") != std::string::npos);
    CHECK(metrics.find("\ngateway_memory_refusing 1\n") != std::string::npos);
    CHECK(metrics.find("\n# TYPE gateway_memory_refusals_total counter\n") != std::string::npos);
    CHECK(admin.get("/healthz").status == 200);
    const auto ready = admin.get("/readyz");
    CHECK(ready.status == 503);
    CHECK(ready.body.find(R"({"name":"memory","ready":false,"why":"more than server.memory_limit)") !=
          std::string::npos);
    // A body that is still to come is refused before it is read.
    client.connect();
    client.write("PUT /contacts/c1 HTTP/1.1\r\nHost: g\r\nContent-Length: 9000000\r\n\r\n");
    CHECK(client.read("PUT").status == 503);
  }

  TEST_CASE("the cache gives way first: a gateway whose cache alone is over the limit goes on serving" *
            doctest::skip(test_support::kSanitized)) {  // shadow memory would be counted
    SimulatorProcess simulator({.arguments = {"--token", "pit-test", "--limit", "0"}});
    const auto limit = resident(GatewayProcess({.upstream = simulator.url()})) + (12ull << 20);
    GatewayProcess gateway({.upstream = simulator.url(),
                            .settings = {{"server.memory_limit", std::to_string(limit)},
                                         {"rate_limit.requests", "100000"},
                                         {"log.requests", "off"},
                                         {"cache.memory_bytes", "512MiB"}}});
    HttpClient client(gateway.address()), admin(gateway.admin_address());
    const std::string filler(6'000, 'x');
    const bool gave_way = eventually(60s, [&, n = 0]() mutable {
      for (int i = 0; i < 200; ++i) client.get("/contacts/?locationId=loc_demo&query=" + filler + std::to_string(++n));
      return gateway.process().output(test_support::Stream::Error).find("memory_limit_reached") != std::string::npos;
    });
    CHECK(gave_way);
    CHECK(eventually(kLimit, [&] { return client.get("/contacts/?locationId=loc_demo").status == 200; }));
    CHECK(admin.get("/metrics").body.find("\ngateway_memory_refusing 0\n") != std::string::npos);
    CHECK(admin.get("/readyz").status == 200);
  }
}
