#include "gateway/tracing/tracer.h"

#include <doctest/doctest.h>

#include "gateway/tracing/trace.h"
#include "tests/support/collector.h"
#include "tests/support/eventually.h"
#include "tests/support/json.h"

using gateway::tracing::Kind;
using gateway::tracing::Options;
using gateway::tracing::Sampler;
using gateway::tracing::Scope;
using gateway::tracing::Span;
using gateway::tracing::Trace;
using gateway::tracing::Tracer;
using test_support::Collector;
using test_support::eventually;
using test_support::Json;
using namespace std::chrono_literals;

namespace {

constexpr auto kLimit = 20s;

Span span(std::string name_of_location = "L1") {
  Span one;
  one.trace = {0x4b, 0xf9, 0x2f, 0x35, 0x77, 0xb3, 0x4d, 0xa6, 0xa3, 0xce, 0x92, 0x9d, 0x0e, 0x0e, 0x47, 0x36};
  one.id = {0x00, 0xf0, 0x67, 0xaa, 0x0b, 0xa9, 0x02, 0xb7};
  one.name = "exchange";
  one.kind = Kind::Server;
  one.start = std::chrono::system_clock::time_point(1'700'000'000s);
  one.end = one.start + 1500us;
  one.attributes = {{"gateway.location", std::move(name_of_location)},
                    {"http.response.status_code", std::int64_t{200}}};
  return one;
}

Options options(const std::string& endpoint) {
  Options one;
  one.endpoint = endpoint;
  one.resource = {"1.2.3", "here"};
  one.linger = 10ms;
  one.first_pause = 5ms;
  one.timeout = 500ms;
  return one;
}

}  // namespace

TEST_SUITE("tracing") {
  TEST_CASE("a span is said as OTLP says it in JSON, and any bytes stay valid JSON") {
    const Span spans[] = {span(), span("a\xff\"b")};
    const std::string text = gateway::tracing::otlp_json({"1.2.3", "here"}, spans);
    const Json json(text);
    const std::string at = "resourceSpans.0.scopeSpans.0.spans.0.";
    CHECK(json.text("resourceSpans.0.resource.attributes.0.value.stringValue") == "contacts-gateway");
    CHECK(json.text(at + "traceId") == "4bf92f3577b34da6a3ce929d0e0e4736");
    CHECK(json.text(at + "spanId") == "00f067aa0ba902b7");
    CHECK_FALSE(json.has(at + "parentSpanId"));
    CHECK(json.integer(at + "kind") == 2);
    CHECK(json.text(at + "startTimeUnixNano") == "1700000000000000000");
    CHECK(json.text(at + "endTimeUnixNano") == "1700000000001500000");
    CHECK(json.text(at + "attributes.1.value.intValue") == "200");
    CHECK(json.text("resourceSpans.0.scopeSpans.0.spans.1.attributes.0.value.stringValue") == "\xef\xbf\xbd");
  }

  TEST_CASE("spans arrive in batches at /v1/traces, and what waits at the end is still sent") {
    Collector collector;
    Tracer tracer(options(collector.url() + "/"));
    tracer.start();
    for (int i = 0; i < 1300; ++i) tracer.record(span());
    tracer.stop();
    CHECK(collector.spans().size() == 1300);
    CHECK(tracer.sent() == 1300);
    const auto requests = collector.requests();
    CHECK(requests.size() >= 3);
    CHECK(requests.size() < 20);
    CHECK(requests[0].head.starts_with("POST /v1/traces HTTP/1.1"));
    CHECK(requests[0].head.find("Content-Type: application/json") != std::string::npos);
  }

  TEST_CASE("a collector that fails for a while is tried again; one that refuses is not, and the loss is counted") {
    Collector collector;
    collector.answer(503);
    auto few = options(collector.url());
    few.tries = 1000;
    Tracer patient(few);
    patient.start();
    patient.record(span());
    REQUIRE(eventually(kLimit, [&] { return collector.requests().size() >= 3; }));
    CHECK(patient.sent() == 0);
    collector.answer(200);
    CHECK(eventually(kLimit, [&] { return patient.sent() == 1; }));
    collector.answer(400);
    const auto before = collector.requests().size();
    patient.record(span());
    CHECK(eventually(kLimit, [&] { return patient.failed() == 1; }));
    CHECK(collector.requests().size() == before + 1);
  }

  TEST_CASE("the queue is bounded while the collector hangs: the rest is dropped, counted, and nobody waits for it") {
    Collector collector;
    collector.answer(0);
    auto small = options(collector.url());
    small.queue = 100;
    small.batch = 10;
    small.timeout = 60s;
    small.last_words = 50ms;
    Tracer tracer(small);
    tracer.start();
    for (int i = 0; i < 10; ++i) tracer.record(span());
    REQUIRE(eventually(kLimit, [&] { return !collector.requests().empty(); }));
    for (int i = 0; i < 1000; ++i) tracer.record(span());
    CHECK(tracer.dropped() == 900);
    CHECK(tracer.sent() == 0);
  }

  TEST_CASE("a collector that is not there costs its spans and nothing else") {
    Tracer tracer(options("http://127.0.0.1:1"));
    tracer.start();
    tracer.record(span());
    CHECK(eventually(kLimit, [&] { return tracer.failed() == 1; }));
  }

  TEST_CASE("the sampled flag is honoured, a client's trace is continued, and new ones are limited") {
    Tracer off(options(""));
    CHECK(Sampler(off).trace({}) == nullptr);
    Tracer tracer(options("http://127.0.0.1:1"));  // not started: what is recorded stays
    Sampler sampler(tracer);
    const policies::FieldView sampled[] = {{"traceparent", "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"}};
    const policies::FieldView not_sampled[] = {
        {"traceparent", "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-00"}};
    const policies::FieldView broken[] = {{"traceparent", "00-zz"}};
    CHECK(sampler.trace(not_sampled) == nullptr);
    const auto continued = sampler.trace(sampled);
    REQUIRE(continued != nullptr);
    CHECK(policies::hex(continued->context().trace) == "4bf92f3577b34da6a3ce929d0e0e4736");
    CHECK(continued->context().parent != policies::SpanId{0x00, 0xf0, 0x67, 0xaa, 0x0b, 0xa9, 0x02, 0xb7});
    const auto fresh = sampler.trace(broken);
    REQUIRE(fresh != nullptr);
    CHECK(fresh->context().trace != continued->context().trace);
    int roots = 0;
    for (int i = 0; i < 1000; ++i) roots += sampler.trace({}) ? 1 : 0;
    CHECK(roots >= Sampler::kRootsPerSecond - 1);
    CHECK(roots <= 3 * Sampler::kRootsPerSecond);  // a slow machine may see further seconds begin
    for (int i = 0; i < 1000; ++i) CHECK(sampler.trace(sampled) != nullptr);
    Scope nothing(nullptr, "queue", Kind::Internal);
    nothing.set("gateway.urgency", 3);
    CHECK_FALSE(static_cast<bool>(nothing));
  }
}
