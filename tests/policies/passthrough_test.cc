#include "policies/passthrough.h"

#include <doctest/doctest.h>

#include <algorithm>

#include "policies/freshness.h"
#include "policies/surrogate_keys.h"

using namespace std::chrono_literals;
using policies::Kind;
using policies::passthrough_match;

TEST_SUITE("passthrough") {
  TEST_CASE("GET and HEAD are reads, every other method is a write, and CONNECT, TRACE and unknown ones do not pass") {
    for (const char* method : {"GET", "HEAD"})
      CHECK(passthrough_match(method, "/calendars/")->operation->kind == Kind::Read);
    for (const char* method : {"POST", "PUT", "PATCH", "DELETE", "OPTIONS"}) {
      const auto match = passthrough_match(method, "/calendars/");
      REQUIRE(match.has_value());
      CHECK(match->operation->kind == Kind::Write);
      CHECK_FALSE(match->operation->idempotent);
    }
    for (const char* method : {"CONNECT", "TRACE", "BREW", "get", ""})
      CHECK_FALSE(passthrough_match(method, "/calendars/").has_value());
  }

  TEST_CASE("tokens, the gateway's own paths and what can be read in two ways stay here") {
    for (const char* path :
         {"/oauth/token", "/OAuth/locationToken", "/%6fauth/token", "//oauth/token", "/x/../oauth/token",
          "/x/%2e%2e/oauth/token", "/x/./y", "/x/%2E/y", "/x%2f..%2foauth", "/x%5c..", "/a;b", "/%", "/%zz", "/a%00b",
          "/x/%252e%252e/oauth", "/gateway/contacts/1/record", "/webhooks/leadconnector", "x", ""})
      CHECK_MESSAGE(!passthrough_match("GET", path).has_value(), path);
    for (const char* path : {"/", "/calendars/events", "/objects/schemas?", "/x%20y", "/invoices/oauth"})
      CHECK_MESSAGE(passthrough_match("GET", path).has_value(), path);
  }

  TEST_CASE("a path that names a location is for that one") {
    CHECK(passthrough_match("GET", "/locations/L1/tags")->parameter("locationId") == "L1");
    CHECK(passthrough_match("GET", "/x/locations/L1/locations/L2")->parameter("locationId") == "L1");
    CHECK(passthrough_match("GET", "/locations/search")->parameter("locationId").empty());
    CHECK(passthrough_match("GET", "/calendars/L1")->parameter("locationId").empty());
  }

  TEST_CASE("a write changes what every entry of its location depends on, and of all locations where it names none") {
    using Keys = std::vector<std::string>;
    const auto write = *passthrough_match("POST", "/calendars/events");
    CHECK(policies::keys_of_request(write, "L1", "") ==
          Keys{"location:?", "location:?:contacts", "location:L1", "location:L1:contacts"});
    CHECK(policies::keys_of_request(write, "", "") ==
          Keys{"location:*", "location:*:contacts", "location:?", "location:?:contacts"});
    const auto changed = policies::keys_of_request(write, "L1", "");
    for (const auto& operation : policies::Catalogue::builtin().operations()) {
      if (operation.kind == Kind::Write) continue;
      policies::Match match;
      match.operation = &operation;
      const auto needed = policies::keys_of_request(match, "L1", "");
      const bool meets = std::any_of(needed.begin(), needed.end(), [&](const auto& key) {
        return std::find(changed.begin(), changed.end(), key) != changed.end();
      });
      CHECK_MESSAGE(meets, operation.name);
    }
  }

  TEST_CASE("an answer is fresh for as long as the upstream says, and not kept where it says nothing") {
    const auto& times = passthrough_match("GET", "/x")->operation->times;
    const auto judge = [&](std::vector<policies::FieldView> fields) {
      return policies::lifetimes_of({200, fields, policies::WallTime(1'000'000s), policies::WallTime(1'000'000s)}, {},
                                    times);
    };
    const auto minute = judge({{"Cache-Control", "max-age=60"}});
    REQUIRE(std::holds_alternative<policies::Storable>(minute));
    CHECK(std::get<policies::Storable>(minute).fresh == 60s);
    for (const char* control : {"no-store", "no-cache", "max-age=0", "private", ""})
      CHECK_MESSAGE(
          std::holds_alternative<policies::Unstorable>(judge({{"Cache-Control", control}, {"ETag", "\"1\""}})),
          control);
  }
}
