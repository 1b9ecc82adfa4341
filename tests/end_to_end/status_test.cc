// The status page and its events, without a browser (that is browser_test.cc, in --full): what is served, to whom, and
// how soon it tells what is wrong.
#include <doctest/doctest.h>
#include <openssl/evp.h>
#include <signal.h>

#include "tests/support/event_stream.h"
#include "tests/support/gateway_process.h"
#include "tests/support/http_client.h"
#include "tests/support/json.h"
#include "tests/support/paths.h"
#include "tests/support/redis_server.h"
#include "tests/support/simulator_process.h"

using namespace std::chrono_literals;
using test_support::Event;
using test_support::EventStream;
using test_support::GatewayProcess;
using test_support::HttpClient;
using test_support::Json;
using test_support::RedisServer;
using test_support::SimulatorProcess;

namespace {

constexpr auto kLimit = 20s;
const std::string kKey = "cgk_CWCZN3a2_SmfJSr2c8X96L9oTX-yCMn-eyOODO3o-0b";
const std::string kKeyHash =
    "sha256:01a733a750976c237eedcab3062329fa:833f8cbd7529e7c3f09f5231a7d45623fdfc7444a78471c54f9f711265c93fe0";

std::string between(const std::string& text, const std::string& from, const std::string& to) {
  const auto begin = text.find(from);
  REQUIRE(begin != std::string::npos);
  const auto end = text.find(to, begin);
  REQUIRE(end != std::string::npos);
  return text.substr(begin + from.size(), end - begin - from.size());
}

std::string sha256_source(const std::string& text) {
  unsigned char digest[EVP_MAX_MD_SIZE], base64[64];
  unsigned int size = 0;
  EVP_Digest(text.data(), text.size(), digest, &size, EVP_sha256(), nullptr);
  const int length = EVP_EncodeBlock(base64, digest, static_cast<int>(size));
  return "'sha256-" + std::string(reinterpret_cast<char*>(base64), static_cast<std::size_t>(length)) + "'";
}

bool has_finding(const Event& event, const std::string& code) {
  return event.name == "tick" && event.data.find("\"code\":\"" + code + "\"") < event.data.find("\"past\":");
}

std::string sum_of(const std::string& events, const char* member) {
  return std::to_string(Json(events).integer(std::string("minute.") + member));
}

}  // namespace

TEST_SUITE("status") {
  TEST_CASE("the page is one document that asks nothing of anybody else, under a policy that names its parts") {
    GatewayProcess gateway({.upstream = "http://127.0.0.1:1"});
    const auto page = HttpClient(gateway.admin_address()).get("/");
    REQUIRE(page.status == 200);
    CHECK(page.field("Content-Type") == "text/html; charset=utf-8");
    CHECK(page.field("X-Content-Type-Options") == "nosniff");
    const auto policy = page.field("Content-Security-Policy");
    CHECK(policy.starts_with("default-src 'none'; "));
    CHECK(policy.find("unsafe") == std::string::npos);
    CHECK(policy.find("style-src " + sha256_source(between(page.body, "<style>", "</style>"))) != std::string::npos);
    CHECK(policy.find("script-src " + sha256_source(between(page.body, "<script>", "</script>"))) != std::string::npos);
    for (const char* outside :
         {"src=", "@import", "url(", "https://", "<link rel=\"stylesheet\"", " style=\"", "onclick"})
      CHECK_MESSAGE(page.body.find(outside) == std::string::npos, outside);
    CHECK(page.body.size() < 64 * 1024);
    CHECK(page.body.find("pit-test") == std::string::npos);
  }

  TEST_CASE("events tell the traffic, and nothing secret or personal") {
    SimulatorProcess simulator({.arguments = {"--token", "pit-test"}});
    GatewayProcess gateway({.upstream = simulator.url()});
    EventStream events(gateway.admin_address(), "/events");
    const auto hello = events.next(kLimit);
    REQUIRE(hello.has_value());
    CHECK(hello->name == "hello");
    CHECK(Json(hello->data).text("upstream") == simulator.address());
    HttpClient client(gateway.address());
    for (int i = 0; i < 4; ++i)
      REQUIRE(client.get("/contacts/?locationId=loc_demo&query=ada%40example.com").status == 200);
    std::string all = hello->data;
    const auto counted = events.wait_for(kLimit, [&](const Event& event) {
      all += event.data;
      return event.name == "tick" && sum_of(event.data, "requests") == "4" && Json(event.data).size("locations") == 1;
    });
    REQUIRE(counted.has_value());
    const Json tick(counted->data);
    CHECK(tick.integer("minute.from_cache") == 3);
    CHECK(tick.integer("minute.cacheable") == 4);
    CHECK(tick.integer("minute.upstream") == 1);
    CHECK(tick.text("operations.0.name") == "get-contacts");
    CHECK(tick.text("locations.0.name") == "default");
    CHECK(tick.integer("locations.0.limit") == 100);
    CHECK(tick.text("redis") == "none");
    CHECK(tick.integer("fixed_tokens") == 1);
    CHECK(tick.integer("memory.resident") > 1'000'000);
    for (const char* hidden : {"pit-test", "ada", "example.com"})
      CHECK_MESSAGE(all.find(hidden) == std::string::npos, hidden);
  }

  TEST_CASE("a lost Redis and a spent budget are told within two seconds, in words, and pass again") {
    RedisServer redis;
    SimulatorProcess simulator({.arguments = {"--token", "pit-test"}});
    GatewayProcess gateway({.upstream = simulator.url(),
                            .settings = {{"redis.url", redis.url()},
                                         {"rate_limit.requests", "3"},
                                         {"rate_limit.interval", "20s"},
                                         {"cache.enabled", "false"}}});
    EventStream events(gateway.admin_address(), "/events");
    REQUIRE(events.wait_for(
        kLimit, [](const Event& event) { return event.name == "tick" && Json(event.data).text("redis") == "up"; }));
    HttpClient client(gateway.address());
    for (int i = 0; i < 3; ++i) REQUIRE(client.get("/contacts/?locationId=loc_demo").status == 200);
    auto begin = std::chrono::steady_clock::now();
    REQUIRE(events.wait_for(kLimit, [](const Event& event) { return has_finding(event, "budget-spent"); }));
    CHECK(std::chrono::steady_clock::now() - begin < 4s);  // two, and room for a busy machine
    redis.kill();
    begin = std::chrono::steady_clock::now();
    const auto lost = events.wait_for(kLimit, [](const Event& event) { return has_finding(event, "redis-away"); });
    REQUIRE(lost.has_value());
    CHECK(std::chrono::steady_clock::now() - begin < 4s);
    CHECK(Json(lost->data).text("findings.0.title") == "Redis cannot be reached");
    CHECK(Json(lost->data).text("findings.0.advice").find("check --connect") != std::string::npos);
    redis.start();
    REQUIRE(events.wait_for(kLimit, [](const Event& event) {
      return event.name == "tick" && !has_finding(event, "redis-away") &&
             event.data.find("redis-away", event.data.find("\"past\":")) != std::string::npos;
    }));
  }

  TEST_CASE("who may: with a key the page asks for it, without one others get neither page nor events") {
    const struct {
      std::string listen, key_hash, host;
      int page, events;
    } cases[] = {
        {"127.0.0.1:0", "", "", 200, 200},
        {"0.0.0.0:0", "", "", 403, 403},
        {"127.0.0.1:0", kKeyHash, "", 200, 401},
        {"0.0.0.0:0", kKeyHash, "status.example:9901", 200, 401},
        {"127.0.0.1:0", "", "rebound.example", 403, 403},
        {"127.0.0.1:0", "", "localhost:9901", 200, 200},
        {"127.0.0.1:0", "", "[::1]:9901", 200, 200},
    };
    for (const auto& [listen, key_hash, host, page, events] : cases) {
      CAPTURE(listen);
      CAPTURE(host);
      CAPTURE(key_hash);
      GatewayProcess gateway(
          {.upstream = "http://127.0.0.1:1", .settings = {{"admin.listen", listen}, {"admin.key_hash", key_hash}}});
      const auto port = gateway.admin_address().substr(gateway.admin_address().rfind(':'));
      HttpClient client("127.0.0.1" + port);
      test_support::HttpFields fields;
      if (!host.empty()) fields.emplace_back("Host", host);
      CHECK(client.get("/", fields).status == page);
      CHECK(client.send({.method = "HEAD", .target = "/events", .fields = fields}).status == events);
      CHECK(client.get("/metrics", fields).status == 200);
      CHECK(client.get("/healthz", fields).status == 200);
      if (key_hash.empty()) continue;
      fields.emplace_back("Authorization", "Bearer " + kKey);
      CHECK(client.send({.method = "HEAD", .target = "/events", .fields = fields}).status == 200);
    }
  }

  TEST_CASE("one reader too many is told so, and one that left makes room") {
    GatewayProcess gateway({.upstream = "http://127.0.0.1:1"});
    std::vector<std::unique_ptr<EventStream>> readers;
    for (int i = 0; i < 32; ++i) readers.push_back(std::make_unique<EventStream>(gateway.admin_address(), "/events"));
    HttpClient client(gateway.admin_address());
    const auto refused = client.get("/events");
    CHECK(refused.status == 503);
    CHECK(refused.field("Content-Type") == "application/problem+json");
    readers.pop_back();
    CHECK(test_support::eventually(kLimit, [&] {
      try {
        EventStream again(gateway.admin_address(), "/events");
        return true;
      } catch (const std::runtime_error&) {
        return false;
      }
    }));
  }

  TEST_CASE("a gateway that ends says so to the page and to /readyz, and ends the stream whole") {
    GatewayProcess gateway({.upstream = "http://127.0.0.1:1"});
    EventStream events(gateway.admin_address(), "/events");
    HttpClient kept(gateway.address());
    REQUIRE(kept.get("/nope").status == 404);  // an idle connection: the drain waits for it
    HttpClient admin(gateway.admin_address());
    CHECK(admin.get("/readyz").status == 200);
    gateway.process().signal(SIGTERM);
    CHECK(test_support::eventually(kLimit, [&] { return admin.get("/readyz").status == 503; }));
    const Json ready(admin.get("/readyz").body);
    CHECK(ready.text("parts.0.name") == "gateway");
    CHECK(ready.text("parts.0.why") == "it is ending");
    CHECK(admin.get("/healthz").status == 200);
    CHECK(events.wait_for(kLimit, [](const Event& event) { return has_finding(event, "ending"); }));
    CHECK_FALSE(events.wait_for(kLimit, [](const Event&) { return false; }));
    CHECK(events.ended());
    CHECK(gateway.process().wait_for_exit(kLimit) == 0);
  }
}
