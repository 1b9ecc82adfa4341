// One token that serves several locations: what the gateway must hold apart itself, since the upstream does not.
#include <doctest/doctest.h>

#include <string>

#include "tests/support/collector.h"
#include "tests/support/eventually.h"
#include "tests/support/gateway_process.h"
#include "tests/support/gzip.h"
#include "tests/support/http_client.h"
#include "tests/support/json.h"
#include "tests/support/simulator_process.h"

using namespace test_support;
using namespace std::chrono_literals;

namespace {

const std::string kKeyOfA = "cgk_of-a-0123456789abcdef0123456789abcdef";
const std::string kKeyOfAll = "cgk_of-all-0123456789abcdef0123456789abcdef";

// The hashes are what `contacts-gateway hash-key` printed for them.
constexpr const char* kConfig = R"({"credentials":{"token":"both"},"clients":[
  {"name":"of-a","locations":["loc_a"],"location":"loc_a","key_hash":
   "sha256:fdd39a21ebf66a5a31550b1c22acfd5a:9c5027e8269f0cac56f1e10a26203e301bffe42a57796e6ff78dabd031352b82"},
  {"name":"of-all","location":"loc_a","key_hash":
   "sha256:e7326cbf11001fbdb05695a4e4b5675b:96689b28a222943ef061b024d770e3fd0995f1a970ff8cf6f956d8ebe5acc5b1"}]})";

struct World {
  explicit World(std::string settings = kConfig) : config(std::move(settings)) {
    of_a = new_contact("loc_a", "Ada");
    of_b = new_contact("loc_b", "Bob");
  }
  HttpResponse send(const std::string& key, HttpRequest request) {
    request.fields.emplace_back("Authorization", "Bearer " + key);
    if (!request.body.empty()) request.fields.emplace_back("Content-Type", "application/json");
    return http.send(request);
  }
  HttpResponse get(const std::string& key, const std::string& target) { return send(key, {.target = target}); }
  std::string new_contact(const std::string& location, const std::string& name) {
    const auto answer =
        send(kKeyOfAll, {.method = "POST",
                         .target = "/contacts/",
                         .body = R"({"locationId":")" + location + R"(","firstName":")" + name + "\"}"});
    REQUIRE_MESSAGE(answer.status == 201, answer.body);
    return Json(answer.body).text("contact.id");
  }
  SimulatorProcess simulator{{.arguments = {"--token", "both", "--location", "loc_a", "--location", "loc_b",
                                            "--contacts", "0", "--limit", "0"}}};
  std::string config;
  // The lists are to be kept from the first read on.
  GatewayProcess gateway{
      {.upstream = simulator.url(), .settings = {{"cache.operations.create-contact.settle", "0s"}}, .config = config}};
  HttpClient http{gateway.address()};
  std::string of_a, of_b;
};

}  // namespace

TEST_SUITE("belonging") {
  TEST_CASE("what the gateway must read itself it asks for without a coding, whatever its client takes") {
    Collector upstream;
    upstream.answer(200, "Content-Type: application/json\r\n", R"({"contact":{"id":"c1","locationId":"loc_a"}})");
    GatewayProcess gateway{{.upstream = upstream.url(), .config = kConfig}};
    HttpClient http(gateway.address());
    const auto coding_asked_for = [&](const std::string& key, const std::string& target) {
      const auto answer = http.get(target, {{"Authorization", "Bearer " + key}, {"Accept-Encoding", "gzip, br"}});
      CHECK(answer.status == 200);
      const auto requests = upstream.requests();
      REQUIRE_FALSE(requests.empty());
      const auto& head = requests.back().head;
      const auto at = head.find("Accept-Encoding: ");
      return at == std::string::npos ? "none" : head.substr(at + 17, head.find('\r', at) - at - 17);
    };
    CHECK(coding_asked_for(kKeyOfA, "/contacts/c1") == "identity");
    CHECK(coding_asked_for(kKeyOfAll, "/contacts/c1") == "gzip, br");  // nobody here reads it
    CHECK(coding_asked_for(kKeyOfAll, "/gateway/contacts/c2/record?include=") == "identity");
  }

  TEST_CASE("whose record it is is read also where the upstream compresses without being asked") {
    Collector upstream;
    upstream.answer(200, "Content-Type: application/json\r\nContent-Encoding: gzip\r\n",
                    compressed(R"({"contact":{"id":"c1","locationId":"loc_a"}})"));
    GatewayProcess gateway{{.upstream = upstream.url(), .config = kConfig}};
    HttpClient http(gateway.address());
    const HttpFields key{{"Authorization", std::string("Bearer ") + kKeyOfA}};
    CHECK(http.get("/contacts/c1", key).status == 200);
    CHECK(http.send({.method = "PUT", .target = "/contacts/c1", .fields = key, .body = "{}"}).status == 200);
    upstream.answer(200, "Content-Type: application/json\r\nContent-Encoding: gzip\r\n",
                    compressed(R"({"contact":{"id":"c2","locationId":"loc_b"}})"));
    CHECK(http.get("/contacts/c2", key).status == 403);
  }

  TEST_CASE("a client of one location alone is taken to mean that one") {
    std::string config = kConfig;
    const std::string named = R"("locations":["loc_a"],"location":"loc_a")";
    config.replace(config.find(named), named.size(), R"("locations":["loc_a"])");
    World world(config);
    CHECK(world.get(kKeyOfA, "/contacts/" + world.of_a).status == 200);
    CHECK(world.get(kKeyOfA, "/contacts/" + world.of_b).status == 403);
    CHECK(world.send(kKeyOfA, {.method = "PUT", .target = "/contacts/" + world.of_a, .body = R"({"firstName":"Eve"})"})
              .status == 200);
    CHECK(world.get(kKeyOfA, "/gateway/contacts/" + world.of_a + "/record").status == 200);
  }

  TEST_CASE("a client of one location gets at no record of another, though the token would") {
    World world;
    const auto b = "/contacts/" + world.of_b, a = "/contacts/" + world.of_a;
    // Another client's reads, told to be of the restricted client's location, leave nothing for it to find.
    for (const auto* part : {"", "/notes", "/tasks"}) CHECK(world.get(kKeyOfAll, b + part).status == 200);

    const HttpRequest refused[] = {
        {.target = b},
        {.target = b + "/notes"},
        {.target = b + "/tasks"},
        {.target = "/gateway" + b + "/record"},
        {.method = "PUT", .target = b, .body = R"({"firstName":"Eve"})"},
        {.method = "POST", .target = b + "/tags", .body = R"({"tags":["taken"]})"},
        {.method = "POST",
         .target = "/contacts/bulk/tags/update/add",
         .body = R"({"contacts":[")" + world.of_a + "\",\"" + world.of_b + R"("],"tags":["taken"]})"},
        {.method = "DELETE", .target = b},
    };
    for (const auto& request : refused) {
      CAPTURE(request.method);
      CAPTURE(request.target);
      const auto answer = world.send(kKeyOfA, request);
      CHECK(answer.status == 403);
      CHECK(answer.field("Content-Type") == "application/problem+json");
      CHECK(answer.body.find("Bob") == std::string::npos);
    }
    const auto kept = world.send(kKeyOfAll, {.target = b, .fields = {{"Cache-Control", "no-cache"}}});
    CHECK(Json(kept.body).text("contact.firstName") == "Bob");
    CHECK(kept.body.find("taken") == std::string::npos);

    CHECK(world.get(kKeyOfA, a).status == 200);
    CHECK(world.get(kKeyOfA, a + "/notes").status == 200);
    CHECK(world.get(kKeyOfA, a + "/notes").field("Cache-Status").find("; hit") != std::string::npos);
    CHECK(world.get(kKeyOfA, "/gateway" + a + "/record").status == 200);
    CHECK(world.send(kKeyOfA, {.method = "PUT", .target = a, .body = R"({"firstName":"Ada L."})"}).status == 200);
    CHECK(Json(world.get(kKeyOfA, a).body).text("contact.firstName") == "Ada L.");
    // What is not there is the upstream's to say.
    CHECK(world.get(kKeyOfA, "/contacts/nobodyofthatname000000").status ==
          world.get(kKeyOfAll, "/contacts/nobodyofthatname000000").status);
  }

  // Its location is read in the answer, which an upstream that compresses would hide from the gateway.
  TEST_CASE("a restricted client's reads of records are asked for in no coding, whatever the client can read") {
    Collector upstream;
    GatewayProcess gateway({.upstream = upstream.url(), .config = kConfig});
    HttpClient http(gateway.address());
    upstream.answer(200, {}, R"({"contact":{"id":"c1","locationId":"loc_a"}})");
    const auto asks_for = [&](const std::string& key, const std::string& coding) {
      const auto answer =
          http.get("/contacts/c1", {{"Authorization", "Bearer " + key}, {"Accept-Encoding", "gzip, br"}});
      CHECK(answer.status == 200);
      return upstream.requests().back().head.find("Accept-Encoding: " + coding + "\r\n") != std::string::npos;
    };
    CHECK(asks_for(kKeyOfA, "identity"));
    CHECK(asks_for(kKeyOfAll, "gzip, br"));
  }

  // The look-up's fate is not the request's: what may have been done is the look-up alone.
  TEST_CASE("a write whose record cannot be looked up now is refused by the gateway, as not sent") {
    Collector upstream;
    const auto tag = [&](GatewayProcess& gateway) {
      return HttpClient(gateway.address())
          .send({.method = "POST",
                 .target = "/contacts/c1/tags",
                 .fields = {{"Authorization", "Bearer " + kKeyOfA}, {"Content-Type", "application/json"}},
                 .body = R"({"tags":["x"]})"});
    };
    const struct {
      int upstreams, status;
      const char* type;
    } cases[] = {{401, 503, "record-not-looked-up"},
                 {408, 503, "record-not-looked-up"},
                 {425, 503, "record-not-looked-up"},
                 {503, 503, "record-not-looked-up"},
                 {429, 429, "wait-too-long"},
                 {0, 503, "record-not-looked-up"},
                 {403, 403, "forbidden"}};
    for (const auto& [upstreams, status, type] : cases) {
      CAPTURE(upstreams);
      upstream.answer(upstreams, upstreams == 429 ? "Retry-After: 7\r\n" : "");
      GatewayProcess gateway({.upstream = upstream.url(),
                              .settings = {{"retry.budget", "0%"}, {"upstream.timeout", "1s"}},
                              .config = kConfig});
      const auto answer = tag(gateway);
      CHECK(answer.status == status);
      CHECK(answer.field("Proxy-Status").starts_with("contacts-gateway; error="));
      CHECK(answer.field("Content-Type") == "application/problem+json");
      CHECK(answer.body.find(std::string("/") + type + "\"") != std::string::npos);
      if (status != 403) CHECK(answer.field("Retry-After") == (upstreams == 429 ? "7" : "1"));
      if (upstreams != 503) continue;
      REQUIRE(eventually(30s, [&] { return tag(gateway).body.find("/circuit-open\"") != std::string::npos; }));
      CHECK(tag(gateway).field("Proxy-Status").starts_with("contacts-gateway; error="));
    }
    for (const auto& request : upstream.requests()) CHECK_FALSE(request.head.starts_with("POST"));
  }

  TEST_CASE("a client of one location needs not name it, and one of several is told that it must") {
    const std::string hash =
        R"("key_hash":"sha256:fdd39a21ebf66a5a31550b1c22acfd5a:9c5027e8269f0cac56f1e10a26203e301bffe42a57796e6ff78dabd031352b82")";
    Collector upstream;
    for (const bool several : {false, true}) {
      CAPTURE(several);
      GatewayProcess gateway({.upstream = upstream.url(),
                              .config = R"({"credentials":{"token":"both"},"clients":[{"name":"of-a",)" + hash +
                                        R"(,"locations":["loc_a")" + (several ? R"(,"loc_b")" : "") + "]}]}"});
      upstream.answer(200, {}, R"({"contact":{"id":"c1","locationId":"loc_a"}})");
      HttpClient http(gateway.address());
      const HttpFields fields{{"Authorization", "Bearer " + kKeyOfA}};
      CHECK(http.get("/contacts/c1", fields).status == (several ? 400 : 200));
      CHECK(http.get("/contacts/c1", {fields.front(), {"X-Location-Id", "loc_a"}}).status == 200);
      CHECK(http.get("/contacts/c1", {fields.front(), {"X-Location-Id", "loc_c"}}).status == 403);
    }
  }

  TEST_CASE("a write by id changes the lists of whatever location the record is of") {
    World world;
    const std::string list = "/contacts/?locationId=loc_b";
    CHECK(world.get(kKeyOfAll, list).body.find("vip") == std::string::npos);
    CHECK(world.get(kKeyOfAll, list).field("Cache-Status").find("; hit") != std::string::npos);
    // The client's own location is loc_a, and the request names none.
    const auto tagged = world.send(
        kKeyOfAll, {.method = "POST", .target = "/contacts/" + world.of_b + "/tags", .body = R"({"tags":["vip"]})"});
    REQUIRE(tagged.status / 100 == 2);
    CHECK(world.get(kKeyOfAll, list).body.find("vip") != std::string::npos);
    REQUIRE(world.send(kKeyOfAll, {.method = "DELETE", .target = "/contacts/" + world.of_b}).status == 200);
    CHECK(world.get(kKeyOfAll, list).body.find(world.of_b) == std::string::npos);
  }
}
