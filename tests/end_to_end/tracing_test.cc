// Traces through the running gateway: what it passes on, and the spans that a collector gets.
#include <doctest/doctest.h>

#include <algorithm>
#include <map>

#include "tests/support/collector.h"
#include "tests/support/eventually.h"
#include "tests/support/gateway_process.h"
#include "tests/support/http_client.h"
#include "tests/support/json.h"
#include "tests/support/redis_server.h"
#include "tests/support/simulator_process.h"

using namespace std::chrono_literals;
using test_support::Collector;
using test_support::eventually;
using test_support::GatewayProcess;
using test_support::HttpClient;
using test_support::Json;
using test_support::RedisServer;
using test_support::SimulatorProcess;

namespace {

constexpr auto kLimit = 20s;
const std::string kTrace = "4bf92f3577b34da6a3ce929d0e0e4736";
const std::string kSampled = "00-" + kTrace + "-00f067aa0ba902b7-01";
const std::string kNotSampled = "00-" + kTrace + "-00f067aa0ba902b7-00";

std::string line_of(const std::string& head, const std::string& name) {
  const auto at = head.find("\r\n" + name + ": ");
  if (at == std::string::npos) return "";
  const auto begin = at + name.size() + 4;
  return head.substr(begin, head.find("\r\n", begin) - begin);
}

std::string attribute(const Json& span, const std::string& key) {
  for (std::size_t i = 0; i < span.size("attributes"); ++i) {
    const std::string at = "attributes." + std::to_string(i) + ".";
    if (span.text(at + "key") != key) continue;
    return span.has(at + "value.stringValue") ? span.text(at + "value.stringValue") : span.text(at + "value.intValue");
  }
  return "";
}

// Those of the trace, once there are so many.
std::vector<std::string> spans_of(const Collector& collector, std::size_t count, const std::string& trace = kTrace) {
  std::vector<std::string> found;
  eventually(kLimit, [&] {
    found = collector.spans();
    std::erase_if(found, [&](const auto& span) { return span.find(trace) == std::string::npos; });
    return found.size() >= count;
  });
  return found;
}

std::vector<std::string> named(const std::vector<std::string>& spans, const std::string& name) {
  std::vector<std::string> found;
  for (const auto& span : spans)
    if (Json(span).text("name") == name) found.push_back(span);
  return found;
}

}  // namespace

TEST_SUITE("tracing") {
  TEST_CASE("without a collector traceparent and tracestate go on as they came") {
    Collector upstream;
    GatewayProcess gateway({.upstream = upstream.url()});
    HttpClient client(gateway.address());
    REQUIRE(client.get("/contacts/c1", {{"traceparent", kSampled}, {"tracestate", "vendor=1"}}).status == 200);
    const auto head = upstream.requests().at(0).head;
    CHECK(line_of(head, "traceparent") == kSampled);
    CHECK(line_of(head, "tracestate") == "vendor=1");
    REQUIRE(client.get("/contacts/c2").status == 200);
    CHECK(upstream.requests().at(1).head.find("traceparent") == std::string::npos);
  }

  TEST_CASE("a sampled trace gets the exchange, the queue, Redis and the upstream as spans, each under the right one") {
    Collector collector, upstream;
    RedisServer redis;
    GatewayProcess gateway(
        {.upstream = upstream.url(), .settings = {{"tracing.otlp", collector.url()}, {"redis.url", redis.url()}}});
    HttpClient client(gateway.address()), admin(gateway.admin_address());
    REQUIRE(
        eventually(kLimit, [&] { return admin.get("/metrics").body.find("gateway_redis_up 1") != std::string::npos; }));
    REQUIRE(client.get("/contacts/c1", {{"traceparent", kSampled}, {"tracestate", "vendor=1"}}).status == 200);
    const auto spans = spans_of(collector, 4);
    REQUIRE(spans.size() == 4);
    const Json exchange(named(spans, "exchange").at(0)), queue(named(spans, "queue").at(0)),
        asked(named(spans, "redis").at(0)), sent(named(spans, "upstream").at(0));
    CHECK(exchange.text("parentSpanId") == "00f067aa0ba902b7");
    CHECK(exchange.integer("kind") == 2);
    CHECK(attribute(exchange, "gateway.operation") == "get-contact");
    CHECK(attribute(exchange, "http.route") == "/contacts/{contactId}");
    CHECK(attribute(exchange, "http.response.status_code") == "200");
    CHECK(attribute(exchange, "gateway.cache.result") == "miss");
    for (const Json* step : {&queue, &asked, &sent}) CHECK(step->text("parentSpanId") == exchange.text("spanId"));
    CHECK(attribute(queue, "gateway.urgency") == "3");
    CHECK(attribute(asked, "db.operation.name") == "look-up");
    CHECK(attribute(sent, "http.response.status_code") == "200");
    for (const auto& span : spans) CHECK(Json(span).text("startTimeUnixNano") <= Json(span).text("endTimeUnixNano"));
    // What the upstream was told continues the trace under the try's own span, and tracestate comes with it.
    const auto head = upstream.requests().at(0).head;
    CHECK(line_of(head, "traceparent") == "00-" + kTrace + "-" + sent.text("spanId") + "-01");
    CHECK(line_of(head, "tracestate") == "vendor=1");

    REQUIRE(client.get("/contacts/c1", {{"traceparent", kSampled}}).field("Cache-Status").find("hit") !=
            std::string::npos);
    REQUIRE(client
                .send({.method = "PUT",
                       .target = "/contacts/c1",
                       .fields = {{"traceparent", kSampled}, {"Content-Type", "application/json"}},
                       .body = "{}"})
                .status == 200);
    const auto more = spans_of(collector, 4 + 1 + 5);
    REQUIRE(more.size() == 10);
    CHECK(std::count_if(more.begin(), more.end(),
                        [](const auto& span) { return attribute(Json(span), "gateway.cache.result") == "hit"; }) == 1);
    for (const char* step : {"begin-write", "end-write"})
      CHECK(std::count_if(more.begin(), more.end(),
                          [&](const auto& span) { return attribute(Json(span), "db.operation.name") == step; }) == 1);
  }

  TEST_CASE("an unsampled trace is passed on and leaves no span; a request without one begins its own") {
    Collector collector, upstream;
    GatewayProcess gateway({.upstream = upstream.url(), .settings = {{"tracing.otlp", collector.url()}}});
    HttpClient client(gateway.address());
    REQUIRE(client.get("/contacts/c1", {{"traceparent", kNotSampled}, {"tracestate", "vendor=1"}}).status == 200);
    CHECK(line_of(upstream.requests().at(0).head, "traceparent") == kNotSampled);
    CHECK(line_of(upstream.requests().at(0).head, "tracestate") == "vendor=1");
    REQUIRE(client.get("/contacts/c2", {{"tracestate", "vendor=1"}}).status == 200);
    const auto begun = line_of(upstream.requests().at(1).head, "traceparent");
    REQUIRE(begun.size() == 55);
    CHECK(begun.ends_with("-01"));
    CHECK(line_of(upstream.requests().at(1).head, "tracestate").empty());  // of no trace
    const auto spans = spans_of(collector, 3, begun.substr(3, 32));
    CHECK(spans.size() == 3);
    CHECK_FALSE(Json(named(spans, "exchange").at(0)).has("parentSpanId"));
    for (const auto& span : collector.spans()) CHECK(span.find(kTrace) == std::string::npos);
  }

  TEST_CASE("no span holds what is in a request: path, query, body or fields") {
    Collector collector;
    SimulatorProcess simulator({.arguments = {"--token", "pit-test"}});
    GatewayProcess gateway({.upstream = simulator.url(), .settings = {{"tracing.otlp", collector.url()}}});
    HttpClient client(gateway.address());
    client.get("/contacts/?locationId=loc_demo&query=ada%40example.com",
               {{"traceparent", kSampled}, {"Authorization", "Bearer client-secret"}, {"X-Request-Id", "ada-1"}});
    client.get("/contacts/contact-of-ada", {{"traceparent", kSampled}});
    client.send({.method = "POST",
                 .target = "/contacts/",
                 .fields = {{"traceparent", kSampled}, {"Content-Type", "application/json"}},
                 .body = R"({"locationId":"loc_demo","firstName":"Ada","email":"ada@example.com"})"});
    client.get("/nowhere/ada", {{"traceparent", kSampled}});
    const auto spans = spans_of(collector, 10);
    CHECK(spans.size() == 10);  // 3 exchanges with queue and upstream, and one refused
    for (const auto& request : collector.requests())
      for (const char* hidden : {"ada", "Ada", "example", "secret", "pit-test"})
        CHECK_MESSAGE(request.body.find(hidden) == std::string::npos, request.body);
  }

  TEST_CASE("retries and failures show in the spans") {
    Collector collector;
    SimulatorProcess simulator({.arguments = {"--token", "pit-test"}});
    GatewayProcess gateway({.upstream = simulator.url(), .settings = {{"tracing.otlp", collector.url()}}});
    HttpClient control(simulator.address());
    REQUIRE(
        control.send({.method = "POST", .target = "/_simulator/faults", .body = R"({"fault":"status=503","count":1})"})
            .status == 200);
    HttpClient client(gateway.address());
    REQUIRE(client.get("/contacts/?locationId=loc_demo", {{"traceparent", kSampled}}).status == 200);
    const auto tries = named(spans_of(collector, 5), "upstream");
    REQUIRE(tries.size() == 2);
    const bool first_is_first = attribute(Json(tries[0]), "http.request.resend_count").empty();
    const Json first(tries[first_is_first ? 0 : 1]), second(tries[first_is_first ? 1 : 0]);
    CHECK(attribute(first, "http.response.status_code") == "503");
    CHECK(first.integer("status.code") == 2);
    CHECK(attribute(second, "http.request.resend_count") == "1");
    CHECK_FALSE(second.has("status.code"));
  }

  TEST_CASE("a collector that is away costs nothing but its spans, which are counted") {
    SimulatorProcess simulator({.arguments = {"--token", "pit-test"}});
    GatewayProcess gateway({.upstream = simulator.url(), .settings = {{"tracing.otlp", "http://127.0.0.1:1"}}});
    HttpClient client(gateway.address()), admin(gateway.admin_address());
    for (int i = 0; i < 50; ++i)
      REQUIRE(client.get("/contacts/?locationId=loc_demo", {{"traceparent", kSampled}}).status == 200);
    const auto text = admin.get("/metrics").body;
    for (const char* result : {"sent", "dropped", "failed"})
      CHECK(text.find("gateway_trace_spans_total{result=\"" + std::string(result) + "\"} ") != std::string::npos);
    CHECK(text.find("# TYPE gateway_trace_spans_total counter") != std::string::npos);
  }
}
