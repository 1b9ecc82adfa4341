// Unusual requests and unusual answers of an upstream: a hit says the same as the miss before it, and what the cache
// cannot tell apart is not cached.
#include <doctest/doctest.h>

#include "tests/support/collector.h"
#include "tests/support/gateway_process.h"
#include "tests/support/http_client.h"

using test_support::Collector;
using test_support::GatewayProcess;
using test_support::HttpClient;
using test_support::HttpFields;
using test_support::HttpResponse;

namespace {

const std::string kContact = "/contacts/contact0000000000001";

bool is_hit(const HttpResponse& response) { return response.field("Cache-Status").find("; hit") != std::string::npos; }

struct Pair {
  explicit Pair(std::vector<std::pair<std::string, std::string>> settings = {})
      : gateway({.upstream = upstream.url(), .settings = std::move(settings)}) {}
  Collector upstream;
  GatewayProcess gateway;
  HttpClient client{gateway.address()};
};

}  // namespace

TEST_SUITE("odd exchanges") {
  TEST_CASE("a hit has one X-Request-Id, its own, also where the upstream sent one") {
    Pair pair;
    pair.upstream.answer(200, "X-Request-Id: of-the-upstream\r\n");
    for (const bool hit : {false, true}) {
      const auto answer = pair.client.get(kContact, {{"X-Request-Id", hit ? "second" : "first"}});
      REQUIRE(is_hit(answer) == hit);
      CHECK(answer.count("X-Request-Id") == 1);
      CHECK(answer.field("X-Request-Id") == (hit ? "second" : "first"));
    }
  }

  TEST_CASE("a bare CR in an upstream's field makes no field of its own, neither on a miss nor on a hit") {
    Pair pair;
    pair.upstream.answer(200, "X-Odd: a\rX-Made-Up: 1\r\n");
    for (const bool hit : {false, true}) {
      const auto answer = pair.client.get(kContact);
      REQUIRE(is_hit(answer) == hit);
      CHECK(answer.field("X-Odd") == "a X-Made-Up: 1");
    }
  }

  TEST_CASE("HEAD tells the length of what GET would bring, also past the cache") {
    const std::string body = R"({"contact":{"id":"contact0000000000001"}})";
    for (const char* cached : {"true", "false"}) {
      Pair pair({{"cache.enabled", cached}});
      pair.upstream.answer(200, "Content-Type: application/json\r\n", body);
      for (const HttpFields& fields : {HttpFields{{"Cache-Control", "no-store"}}, HttpFields{}}) {
        const auto answer = pair.client.send({.method = "HEAD", .target = kContact, .fields = fields});
        CHECK(answer.status == 200);
        CHECK(answer.count("Content-Length") == 1);
        CHECK(answer.field("Content-Length") == std::to_string(body.size()));
      }
      CHECK(pair.client.get(kContact).body == body);  // the connection is in step
    }
  }

  TEST_CASE(
      "of two Versions nobody knows which the upstream obeys: the answer is not kept, nor answered from a kept one") {
    Pair pair;
    const HttpFields two{{"Version", "2021-07-28"}, {"Version", "v3"}};
    pair.upstream.answer(200, {}, R"("of both")");
    CHECK(pair.client.get(kContact, two).body == R"("of both")");
    pair.upstream.answer(200, {}, R"("of one")");
    const auto one = pair.client.get(kContact, {{"Version", "2021-07-28"}});
    CHECK_FALSE(is_hit(one));
    CHECK(one.body == R"("of one")");
    pair.upstream.answer(200, {}, R"("of both again")");
    CHECK(pair.client.get(kContact, two).body == R"("of both again")");
    CHECK(is_hit(pair.client.get(kContact, {{"Version", "2021-07-28"}})));
  }

  TEST_CASE("a GET with a body is asked anew each time, with its body") {
    Pair pair;
    for (const std::string body : {R"({"x":1})", R"({"x":2})", R"({"x":2})"}) {
      const auto answer = pair.client.send({.target = kContact, .body = body});
      CHECK(answer.status == 200);
      CHECK_FALSE(is_hit(answer));
      CHECK(pair.upstream.requests().back().body == body);
    }
    CHECK(pair.upstream.requests().size() == 3);
    CHECK_FALSE(is_hit(pair.client.get(kContact)));
    CHECK(is_hit(pair.client.get(kContact)));
  }

  TEST_CASE("an encoded answer serves who asked for that encoding, also where the upstream forgot its Vary") {
    Pair pair;
    const HttpFields gzip{{"Accept-Encoding", "gzip"}};
    pair.upstream.answer(200, "Content-Encoding: gzip\r\n", "\x1f\x8bz");
    const auto encoded = pair.client.get(kContact, gzip);
    CHECK(encoded.body == "\x1f\x8bz");
    CHECK(encoded.field("Vary") == "Accept-Encoding");
    pair.upstream.answer(200);
    const auto plain = pair.client.get(kContact);
    CHECK_FALSE(is_hit(plain));
    CHECK(plain.body == "{}");
    CHECK(pair.client.get(kContact).body == "{}");
    const auto again = pair.client.get(kContact, gzip);
    CHECK(is_hit(again) == (again.body == "\x1f\x8bz"));
  }

  TEST_CASE("a write that an open circuit refuses makes nothing stale: what is kept goes on standing in") {
    Pair pair({{"cache.operations.get-contact.fresh", "0s"}, {"cache.operations.get-contact.stale_if_error", "1h"}});
    const auto contact = [](int number) { return "/contacts/contact" + std::to_string(number); };
    constexpr int kContacts = 20;
    for (int number = 0; number < kContacts; ++number) REQUIRE(pair.client.get(contact(number)).status == 200);
    pair.upstream.answer(503);
    const auto tagged = [&](int number) {
      return pair.client.send({.method = "POST",
                               .target = contact(number) + "/tags",
                               .fields = {{"Content-Type", "application/json"}},
                               .body = R"({"tags":["vip"]})"});
    };
    // Each that is sent adds to the failures, or is a probe; one that is not, with what it would have changed, is
    // wanted.
    for (int number = 0; number < kContacts; ++number) {
      const auto before = pair.upstream.requests().size();
      const auto answer = tagged(number);
      if (pair.upstream.requests().size() > before) continue;
      CHECK(answer.status == 503);
      CHECK(answer.field("Retry-After") != "");
      CHECK(answer.field("Cache-Status") == "contacts-gateway; detail=circuit-open");
      const auto stale = pair.client.get(contact(number));
      CHECK(stale.status == 200);
      CAPTURE(stale.field("Cache-Status"));
      CHECK(is_hit(stale));
      return;
    }
    FAIL("the circuit never opened");
  }

  TEST_CASE("what nothing keeps is not called stored") {
    for (const char* bytes : {"0", "1MiB"}) {
      CAPTURE(bytes);
      Pair pair({{"cache.memory_bytes", bytes}});
      pair.upstream.answer(200, {}, std::string(200'000, 'x'));  // more than an eighth
      CHECK(pair.client.get(kContact).field("Cache-Status") == "contacts-gateway; fwd=uri-miss");
    }
    Pair pair;
    CHECK(pair.client.get(kContact).field("Cache-Status") == "contacts-gateway; fwd=uri-miss; stored");
  }
}
