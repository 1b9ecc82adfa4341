// Paths outside the catalogue, with passthrough.enabled: what reaches the upstream, what is cached, what a write ends.
#include <doctest/doctest.h>

#include "tests/support/collector.h"
#include "tests/support/gateway_process.h"
#include "tests/support/http_client.h"

using test_support::Collector;
using test_support::GatewayProcess;
using test_support::HttpClient;

namespace {

const std::pair<std::string, std::string> kOn{"passthrough.enabled", "true"};
const std::pair<std::string, std::string> kOrigin{"passthrough.cache", "origin"};

bool hit(const test_support::HttpResponse& response) {
  return response.field("Cache-Status").find("; hit") != std::string::npos;
}

}  // namespace

TEST_SUITE("passthrough") {
  TEST_CASE("without it an unknown path stays unknown, with it it goes upstream with credentials and limits") {
    Collector upstream;
    GatewayProcess off({.upstream = upstream.url()});
    CHECK(HttpClient(off.address()).get("/calendars/events?x=1").status == 404);
    CHECK(upstream.requests().empty());
    GatewayProcess on({.upstream = upstream.url(), .settings = {kOn}});
    HttpClient client(on.address());
    const auto answer = client.get("/calendars/events?x=1", {{"Authorization", "Bearer of-the-client"}});
    CHECK(answer.status == 200);
    CHECK(answer.body == "{}");
    CHECK(answer.has("RateLimit"));
    const auto head = upstream.requests().at(0).head;
    CHECK(head.starts_with("GET /calendars/events?x=1 HTTP/1.1\r\n"));
    CHECK(head.find("Authorization: Bearer pit-test") != std::string::npos);
    CHECK(head.find("of-the-client") == std::string::npos);
    CHECK(head.find("\r\nVersion: 2021-07-28") != std::string::npos);
    HttpClient admin(on.admin_address());
    const auto counts = [&](const char* series) {  // a request is counted when its answer has left
      return test_support::eventually(std::chrono::seconds(20),
                                      [&] { return admin.get("/metrics").body.find(series) != std::string::npos; });
    };
    CHECK(counts(R"(gateway_requests_total{operation="other",method="GET",code="200",client="anonymous"} 1)"));
    CHECK(counts(R"(gateway_upstream_requests_total{operation="other",code="200"} 1)"));
    CHECK(admin.get("/metrics").body.find("calendars") == std::string::npos);
  }

  TEST_CASE("tokens and the gateway's own paths never pass") {
    Collector upstream;
    GatewayProcess gateway({.upstream = upstream.url(), .settings = {kOn}});
    HttpClient client(gateway.address());
    for (const char* target : {"/oauth/token", "/x/%2e%2e/oauth/token", "/gateway/nothing", "/webhooks/leadconnector"})
      CHECK_MESSAGE(client.send({.method = "POST", .target = target, .body = "{}"}).status == 404, target);
    CHECK(upstream.requests().empty());
  }

  TEST_CASE("by default nothing is cached; with origin what the upstream says, until any write of the location") {
    Collector upstream;
    upstream.answer(200, "Cache-Control: max-age=60\r\n");
    GatewayProcess off({.upstream = upstream.url(), .settings = {kOn}});
    HttpClient uncached(off.address());
    for (int i = 0; i < 2; ++i) CHECK_FALSE(hit(uncached.get("/calendars/events?locationId=L1")));
    CHECK(upstream.requests().size() == 2);

    Collector origin;
    origin.answer(200, "Cache-Control: max-age=60\r\n");
    GatewayProcess on({.upstream = origin.url(), .settings = {kOn, kOrigin}});
    HttpClient client(on.address());
    const auto read = [&](const char* target) { return hit(client.get(target)); };
    const auto settled = [&](const char* target) {  // collections are not kept for the settle time after a write
      return test_support::eventually(
          std::chrono::seconds(20), [&] { return read(target); }, std::chrono::milliseconds(250));
    };
    CHECK_FALSE(read("/calendars/events?locationId=L1"));
    CHECK(read("/calendars/events?locationId=L1"));
    CHECK_FALSE(read("/calendars/events?locationId=L2"));
    CHECK_FALSE(read("/calendars/other?locationId=L1"));
    REQUIRE(read("/calendars/events?locationId=L2"));
    // An unknown write in L1 ends all of L1, catalogue entries included, and leaves L2 alone.
    CHECK_FALSE(read("/contacts/c1?locationId=L1"));
    CHECK(read("/contacts/c1?locationId=L1"));
    CHECK(client.send({.method = "POST", .target = "/calendars/events", .body = R"({"locationId":"L1"})"}).status ==
          200);
    CHECK_FALSE(read("/calendars/events?locationId=L1"));
    CHECK_FALSE(read("/contacts/c1?locationId=L1"));
    CHECK(read("/calendars/events?locationId=L2"));
    CHECK(settled("/calendars/events?locationId=L1"));
    // A write of the catalogue ends it too, and one that names no location ends everything.
    CHECK(client.send({.method = "PUT", .target = "/contacts/c1?locationId=L1", .body = "{}"}).status == 200);
    CHECK_FALSE(read("/calendars/events?locationId=L1"));
    CHECK(client.send({.method = "DELETE", .target = "/calendars/events/1"}).status == 200);
    CHECK_FALSE(read("/calendars/events?locationId=L2"));
    origin.answer(200);
    for (int i = 0; i < 2; ++i) CHECK_FALSE(read("/silent?locationId=L3"));
  }

  TEST_CASE("a client restricted to locations may not use it") {
    Collector upstream;
    const std::string hash =
        "sha256:01a733a750976c237eedcab3062329fa:833f8cbd7529e7c3f09f5231a7d45623fdfc7444a78471c54f9f711265c93fe0";
    GatewayProcess gateway({.upstream = upstream.url(),
                            .settings = {kOn},
                            .config = R"({"credentials":{"token":"pit-test"},"clients":[{"name":"one","key_hash":")" +
                                      hash + R"(","locations":["L1"]}]})"});
    HttpClient client(gateway.address());
    const test_support::HttpFields key{{"Authorization", "Bearer cgk_CWCZN3a2_SmfJSr2c8X96L9oTX-yCMn-eyOODO3o-0b"}};
    CHECK(client.get("/locations/L1/tags", key).status == 403);
    CHECK(client.get("/contacts/c1?locationId=L1", key).status == 200);
    CHECK(upstream.requests().size() == 1);
  }
}
