// What corrects the rate limits while the gateway runs: a client's own rate, who joins a request that waits, what the
// upstream states of its limits, and how long it asks to be left alone.
#include <doctest/doctest.h>

#include <cstdlib>
#include <ctime>

#include "tests/support/collector.h"
#include "tests/support/eventually.h"
#include "tests/support/gateway_process.h"
#include "tests/support/http_client.h"
#include "tests/support/json.h"
#include "tests/support/simulator_process.h"

using namespace test_support;
using namespace std::chrono_literals;
using Clock = std::chrono::steady_clock;

namespace {

const HttpFields kUncached{{"Cache-Control", "no-store"}};

std::string contact(int number) { return "/contacts/contact000000000000" + std::to_string(number); }

std::string request_for(const std::string& target, HttpFields fields) {
  return to_bytes({.target = target, .fields = std::move(fields)}, "gateway");
}

double queued(GatewayProcess& gateway) {
  const auto text = HttpClient(gateway.admin_address()).get("/metrics").body;
  const auto at = text.find("\ngateway_rate_limit_queue_depth{");
  return at == std::string::npos ? 0 : std::atof(text.c_str() + text.find(' ', at));
}

std::int64_t answered(SimulatorProcess& simulator, int status) {
  const Json books(HttpClient(simulator.address()).get("/_simulator/books").body);
  const auto path = "statuses." + std::to_string(status);
  return books.has(path) ? books.integer(path) : 0;
}

std::string http_date(std::time_t at) {
  std::tm parts{};
  gmtime_r(&at, &parts);
  char text[64];
  std::strftime(text, sizeof text, "%a, %d %b %Y %H:%M:%S GMT", &parts);
  return text;
}

}  // namespace

TEST_SUITE("corrections") {
  TEST_CASE("a client keeps to its own rate, which is nobody else's") {
    SimulatorProcess simulator;
    // The hashes are what `contacts-gateway hash-key` printed for the keys below.
    GatewayProcess gateway({.upstream = simulator.url(), .settings = {}, .config = R"({
      "credentials": {"token": "simulator-token"},
      "clients": [{"name": "capped", "rate": 5, "key_hash":
        "sha256:00112233445566778899aabbccddeeff:f070d2fee4f6f700cd41567e89781e1ae165096eed68821c40534ff9768830dc"},
       {"name": "free", "key_hash":
        "sha256:e7326cbf11001fbdb05695a4e4b5675b:96689b28a222943ef061b024d770e3fd0995f1a970ff8cf6f956d8ebe5acc5b1"}]})"});
    HttpClient client(gateway.address());
    const auto get = [&](const std::string& key, const std::string& wait) {
      return client.get(contact(1),
                        {{"Authorization", "Bearer " + key}, {"Cache-Control", "no-store"}, {"Prefer", wait}});
    };
    const std::string capped = "cgk_test-key-for-the-records", free = "cgk_of-all-0123456789abcdef0123456789abcdef";
    // A second's worth goes at once; on a slow machine more has come back before the twentieth.
    int served = 0;
    HttpResponse over;
    while (served < 20 && (over = get(capped, "wait=0")).status == 200) ++served;
    CHECK(served >= 5);
    CHECK(over.status == 429);
    CHECK(over.body.find("client-rate") != std::string::npos);
    CHECK(over.field("Retry-After") == "1");
    for (int i = 0; i < 10; ++i) CHECK(get(free, "wait=0").status == 200);
    CHECK(get(capped, "wait=20").status == 200);
  }

  TEST_CASE("a request that waits moves up to the best urgency among those that join it, and takes one permit") {
    SimulatorProcess simulator({.arguments = {"--limit", "0"}});
    GatewayProcess gateway(
        {.upstream = simulator.url(),
         .settings = {
             {"credentials.token", "simulator-token"}, {"rate_limit.requests", "1"}, {"rate_limit.interval", "5s"}}});
    REQUIRE(HttpClient(gateway.address()).get(contact(1), kUncached).status == 200);
    HttpClient ordinary(gateway.address(), 60s), background(gateway.address(), 60s), urgent(gateway.address(), 60s);
    ordinary.write(request_for(contact(2), {{"Cache-Control", "no-store"}}));
    REQUIRE(eventually(10s, [&] { return queued(gateway) == 1; }));
    background.write(request_for(contact(3), {{"Priority", "u=7"}}));
    REQUIRE(eventually(10s, [&] { return queued(gateway) == 2; }));
    urgent.write(request_for(contact(3), {{"Priority", "u=0"}}));
    for (auto* each : {&background, &urgent}) CHECK(each->read().status == 200);
    CHECK(eventually(2s, [&] { return queued(gateway) == 1; }));  // the ordinary one, which came first
    CHECK(answered(simulator, 200) == 2);
  }

  TEST_CASE("limits that the upstream states and that are lower than the settings are kept from the first answer on") {
    SimulatorProcess simulator({.arguments = {"--limit", "5", "--interval", "1s"}});
    GatewayProcess gateway(
        {.upstream = simulator.url(),
         .settings = {
             {"credentials.token", "simulator-token"}, {"rate_limit.requests", "100"}, {"rate_limit.interval", "1s"}}});
    CHECK(HttpClient(gateway.address()).get(contact(1), kUncached).status == 200);
    std::vector<HttpClient> burst;
    for (int i = 0; i < 12; ++i) burst.emplace_back(gateway.address(), 60s).write(request_for(contact(2), kUncached));
    for (auto& each : burst) {
      const auto answer = each.read();
      CHECK(answer.status == 200);
      CHECK(answer.field("RateLimit-Policy") == "\"default\";q=5;w=1");
    }
    CHECK(answered(simulator, 429) == 0);
  }

  TEST_CASE("an upstream's Retry-After holds up every request of the location, not only the one that was told") {
    SimulatorProcess simulator({.arguments = {"--limit", "0"}});
    GatewayProcess gateway({.upstream = simulator.url(), .settings = {{"credentials.token", "simulator-token"}}});
    HttpClient(simulator.address())
        .send({.method = "POST",
               .target = "/_simulator/faults",
               .fields = {{"Content-Type", "application/json"}},
               .body = R"({"match":{"path_prefix":"/contacts/"},"fault":"status=429;retry-after=2","count":1})"});
    const auto began = Clock::now();
    HttpClient told(gateway.address(), 60s), other(gateway.address(), 60s);
    told.write(request_for(contact(1), kUncached));
    REQUIRE(eventually(10s, [&] { return answered(simulator, 429) == 1; }));
    CHECK(other.get(contact(2), kUncached).status == 200);
    CHECK(Clock::now() - began >= 2s);
    CHECK(told.read().status == 200);
    CHECK(answered(simulator, 429) == 1);
  }

  TEST_CASE("Retry-After may be a date") {
    Collector upstream;
    GatewayProcess gateway({.upstream = upstream.url()});
    const auto until = std::time(nullptr) + 3;
    upstream.answer(429, "Retry-After: " + http_date(until) + "\r\n");
    HttpClient client(gateway.address(), 60s);
    client.write(request_for(contact(1), kUncached));
    REQUIRE(eventually(10s, [&] { return upstream.requests().size() == 1; }));
    upstream.answer(200, "Content-Type: application/json\r\n", R"({"contact":{}})");
    CHECK(client.read().status == 200);
    CHECK(std::time(nullptr) >= until - 1);  // std::time's own grain
    CHECK(upstream.requests().size() == 2);
  }
}
