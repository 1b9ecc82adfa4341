// Gateways one behind the other, and in a circle.
#include <doctest/doctest.h>

#include "tests/support/gateway_process.h"
#include "tests/support/http_client.h"
#include "tests/support/json.h"
#include "tests/support/redis_server.h"
#include "tests/support/simulator_process.h"

using namespace test_support;

namespace {
const std::string kContact = "/contacts/contact0000000000001";
const HttpFields kJson{{"Content-Type", "application/json"}};

int upstream_requests(const GatewayProcess& gateway) {
  const auto text = HttpClient(gateway.admin_address()).get("/metrics").body;
  const std::string name = "\ngateway_upstream_requests_total{";
  int sum = 0;
  for (auto at = text.find(name); at != std::string::npos; at = text.find(name, at + 1))
    sum += std::stoi(text.substr(text.find("} ", at) + 2));
  return sum;
}
}  // namespace

TEST_SUITE("loop") {
  TEST_CASE("a request that comes back through a circle of gateways is refused with 508 where it began") {
    const auto address = "127.0.0.1:" + std::to_string(free_port());
    GatewayProcess behind({.upstream = "http://" + address});
    GatewayProcess first({.upstream = "http://" + behind.address(), .settings = {{"listen", address}}});
    for (const std::string method : {"GET", "PUT"}) {
      CAPTURE(method);
      const auto answer =
          HttpClient(first.address())
              .send({.method = method, .target = kContact, .fields = kJson, .body = method == "PUT" ? "{}" : ""});
      CHECK(answer.status == 508);
      CHECK(answer.field("Content-Type") == "application/problem+json");
      CHECK(answer.field("Proxy-Status").find("error=proxy_loop_detected") != std::string::npos);
      CHECK(answer.body.find("loop-detected") != std::string::npos);
    }
    CHECK(upstream_requests(first) == 2);
    CHECK(upstream_requests(behind) == 2);
  }

  TEST_CASE("a gateway behind another one serves it, whatever else its requests have passed") {
    SimulatorProcess simulator({});
    GatewayProcess behind({.upstream = simulator.url(), .settings = {{"credentials.token", "simulator-token"}}});
    GatewayProcess first({.upstream = "http://" + behind.address()});
    HttpClient client(first.address());
    const HttpFields passed{{"Via", "1.1 contacts-gateway, 1.1 contacts-gateway-0123456789abcdef"}};
    CHECK(client.get(kContact, passed).status == 200);
    CHECK(client.get(kContact).status == 200);
    CHECK(
        client.send({.method = "PUT", .target = kContact, .fields = kJson, .body = R"({"firstName":"Ada"})"}).status ==
        200);
    CHECK(client.get(kContact).body.find("Ada") != std::string::npos);
  }
}
