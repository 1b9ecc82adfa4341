// What the gateway is for, seen from outside: the same answers as the API's own, the second equal read from the cache,
// and nothing from before an acknowledged write.
#include <doctest/doctest.h>

#include "tests/support/gateway_process.h"
#include "tests/support/http_client.h"
#include "tests/support/json.h"
#include "tests/support/simulator_process.h"

using namespace test_support;

namespace {

const std::string kContact = "/contacts/contact0000000000001";
const std::string kList = "/contacts/?locationId=loc_demo";

struct Pair {
  SimulatorProcess simulator;
  GatewayProcess gateway{{.upstream = simulator.url(), .settings = {{"credentials.token", "simulator-token"}}}};
  HttpClient client{gateway.address()};

  std::string first_name() { return Json(client.get(kContact).body).text("contact.firstName"); }
};

bool is_hit(const HttpResponse& response) {
  return response.field("Cache-Status").starts_with("contacts-gateway; hit");
}

}  // namespace

TEST_SUITE("main job") {
  TEST_CASE("the second equal read is a hit with the same bytes, and a write through the gateway is read at once") {
    Pair pair;
    for (const std::string& target : {kContact, kList}) {
      CAPTURE(target);
      const HttpResponse miss = pair.client.get(target), hit = pair.client.get(target);
      CHECK(miss.status == 200);
      CHECK_FALSE(is_hit(miss));
      CHECK(is_hit(hit));
      CHECK(hit.has("Age"));
      CHECK(hit.body == miss.body);
    }
    CHECK(pair.first_name() == "Ada");
    const HttpResponse written = pair.client.send({.method = "PUT",
                                                   .target = kContact,
                                                   .fields = {{"Content-Type", "application/json"}},
                                                   .body = R"({"firstName":"Grace"})"});
    CHECK(written.status == 200);
    CHECK(pair.first_name() == "Grace");
    CHECK(pair.client.get(kList).body.find("Grace") != std::string::npos);
  }

  TEST_CASE("writes and reads in turn never show an older value, on any connection") {
    Pair pair;
    HttpClient other(pair.gateway.address());
    for (int i = 0; i < 40; ++i) {
      const std::string name = "Name" + std::to_string(i);
      const HttpResponse written = pair.client.send({.method = "PUT",
                                                     .target = kContact,
                                                     .fields = {{"Content-Type", "application/json"}},
                                                     .body = R"({"firstName":)" + json_string(name) + "}"});
      REQUIRE(written.status == 200);
      CHECK(Json(other.get(kContact).body).text("contact.firstName") == name);
      CHECK(pair.first_name() == name);
    }
  }

  TEST_CASE("the client's own Authorization never reaches the upstream") {
    Pair pair;
    const HttpResponse response = pair.client.get(kContact, {{"Authorization", "Bearer not-the-simulators"}});
    CHECK(response.status == 200);  // the simulator answers 401 to a token that is not its own
  }
}
