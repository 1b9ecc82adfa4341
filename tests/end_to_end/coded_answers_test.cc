// Writes whose answers tell what they have changed, through an upstream that compresses.
#include <doctest/doctest.h>

#include "tests/support/collector.h"
#include "tests/support/gateway_process.h"
#include "tests/support/gzip.h"
#include "tests/support/http_client.h"

using namespace test_support;

namespace {

const HttpFields kUsual{
    {"Accept-Encoding", "gzip, deflate, br"}, {"Content-Type", "application/json"}, {"locationId", "loc_demo"}};

struct World {
  World() {
    upstream.answer_with(
        [](const Collector::Request& request) {
          const bool opportunity = request.head.find("/opportunities/") != std::string::npos;
          return compressed(opportunity ? R"({"opportunity":{"id":"o1","contactId":"c1","locationId":"loc_demo"}})"
                                        : R"({"contact":{"id":"c1","locationId":"loc_demo"}})");
        },
        "Content-Type: application/json\r\nContent-Encoding: gzip\r\n");
  }
  bool is_hit(const std::string& target) {
    const auto answer = client.get(target, kUsual);
    CHECK(answer.status == 200);
    return answer.field("Cache-Status").find("; hit") != std::string::npos;
  }
  void keep(const std::string& target) {
    is_hit(target);
    REQUIRE(is_hit(target));
  }
  void write(const std::string& method, const std::string& target) {
    CHECK(client.send({.method = method, .target = target, .fields = kUsual, .body = "{}"}).status == 200);
    CHECK(upstream.requests().back().head.find("Accept-Encoding: identity") != std::string::npos);
  }
  Collector upstream;
  GatewayProcess gateway{{.upstream = upstream.url(), .settings = {{"rate_limit.requests", "1000"}}}};
  HttpClient client{gateway.address()};
};

}  // namespace

TEST_SUITE("coded answers") {
  TEST_CASE("an update of an opportunity makes the contact that its compressed answer names stale") {
    World world;
    world.keep("/contacts/c1");
    world.write("PUT", "/opportunities/o1");
    CHECK_FALSE(world.is_hit("/contacts/c1"));
  }

  TEST_CASE("an upsert of one contact leaves the others in the cache, also where its answer comes compressed") {
    World world;
    world.keep("/contacts/c1");
    world.keep("/contacts/c2");
    world.write("POST", "/contacts/upsert");
    CHECK(world.is_hit("/contacts/c2"));
    CHECK_FALSE(world.is_hit("/contacts/c1"));
  }
}
