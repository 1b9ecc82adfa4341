#include <doctest/doctest.h>

#include <set>

#include "tests/simulator_tests/world.h"

using namespace simulator;
using namespace simulator_tests;
using namespace std::chrono_literals;

namespace {

std::string message(const Answer& answer) { return string_member(*parse_json(answer.body), "message").value_or(""); }

std::string field(const Answer& answer, const std::string& name) {
  for (const auto& [known, value] : answer.fields) {
    if (known == name) return value;
  }
  return "";
}

}  // namespace

TEST_SUITE("api") {
  TEST_CASE("a call needs a living token and a known version, in that order") {
    Bench bench;
    bench.version = "";
    CHECK(message(bench.ask("GET", kFirst)) == "version header was not found.");
    bench.version = "1999-01-01";
    CHECK(bench.ask("GET", kFirst).status == 401);
    bench.authorization = "Bearer other";
    CHECK(message(bench.ask("GET", kFirst)) == "Invalid JWT");
  }

  TEST_CASE("a token of one location sees no other") {
    Options options = default_options();
    options.seeds.push_back({"loc_two", 2});
    options.credentials.location_tokens = {{"loc_two", "two"}};
    Bench bench(options);
    bench.authorization = "Bearer two";
    CHECK(bench.ask("GET", kFirst).status == 403);
    CHECK(bench.ask("GET", "/contacts/?locationId=loc_demo").status == 403);
    CHECK(bench.ask("GET", "/contacts/contact0000000000026").status == 200);
  }

  TEST_CASE("an unknown route is 404, and the other version's spelling is one") {
    Bench bench;
    CHECK(bench.ask("PATCH", kFirst).status == 404);
    CHECK(bench.ask("DELETE", std::string(kFirst) + "/campaigns/remove-all").status == 404);
    bench.version = "v3";
    CHECK(bench.ask("DELETE", std::string(kFirst) + "/campaigns/remove-all").status == 200);
    CHECK(bench.ask("DELETE", std::string(kFirst) + "/campaigns/removeAll").status == 404);
  }

  TEST_CASE("the limit answers 429 with its headers and lets go after the interval") {
    Options options = default_options();
    options.limits.requests = 2;
    Bench bench(options);
    CHECK(field(bench.ask("GET", "/contacts/?locationId=loc_demo"), "X-RateLimit-Remaining") == "1");
    CHECK(bench.ask("GET", "/contacts/?locationId=loc_demo").status == 200);
    const Answer refused = bench.ask("GET", "/contacts/?locationId=loc_demo");
    CHECK(refused.status == 429);
    CHECK(refused.body == R"({"statusCode":429,"message":"Too Many Requests"})");
    CHECK(field(refused, "X-RateLimit-Interval-Milliseconds") == "10000");
    CHECK(bench.ask("GET", "/contacts/?locationId=other").status == 200);
    bench.now += 10s;
    CHECK(bench.ask("GET", "/contacts/?locationId=loc_demo").status == 200);
    const Document books = bench.control("GET", "/_simulator/books?window=10s");
    CHECK(books["statuses"]["429"].GetInt() == 1);
    for (const Value& book : books["locations"].GetArray()) {
      if (view(book["location"]) == "loc_demo") CHECK(book["max_arrivals_in_window"].GetInt() == 3);
    }
  }

  TEST_CASE("lists and searches lag behind a write, single gets do not") {
    Options options = default_options();
    options.world.index_lag = 500ms;
    Bench bench(options);
    const Document made =
        bench.json("POST", "/contacts/", R"({"locationId":"loc_demo","firstName":"Late","email":"late@x.co"})");
    const std::string id = made["contact"]["id"].GetString();
    const auto total = [&] { return bench.json("GET", "/contacts/?locationId=loc_demo&query=late")["count"].GetInt(); };
    CHECK(bench.ask("GET", "/contacts/" + id).status == 200);
    CHECK(total() == 0);
    bench.now += 500ms - 1us;
    CHECK(total() == 0);
    bench.now += 1us;
    CHECK(total() == 1);
    bench.ask("DELETE", "/contacts/" + id);
    CHECK(bench.ask("GET", "/contacts/" + id).status == 400);
    CHECK(total() == 1);
    bench.now += 500ms;
    CHECK(total() == 0);
  }

  TEST_CASE("upsert finds by email, then by phone, and else creates") {
    Bench bench;
    const auto upsert = [&](const char* body) { return bench.json("POST", "/contacts/upsert", body); };
    const Document by_email = upsert(R"({"locationId":"loc_demo","email":"ADA.1@example.com","phone":"+15550000002"})");
    CHECK_FALSE(by_email["new"].GetBool());
    CHECK(view(by_email["contact"]["id"]) == "contact0000000000001");
    const Document by_phone = upsert(R"({"locationId":"loc_demo","email":"n@x.co","phone":"+1 555-000-0003"})");
    CHECK(view(by_phone["contact"]["id"]) == "contact0000000000003");
    CHECK(upsert(R"({"locationId":"loc_demo","email":"m@x.co"})")["new"].GetBool());
    CHECK(upsert(R"({"locationId":"loc_other","email":"m@x.co"})")["new"].GetBool());
  }

  TEST_CASE("a duplicate is refused with whom it duplicates, and the books count creations") {
    Bench bench;
    const Document refused =
        bench.json("POST", "/contacts/", R"({"locationId":"loc_demo","phone":"+1 (555) 000-0001"})");
    CHECK(view(refused["meta"]["contactId"]) == "contact0000000000001");
    CHECK(view(refused["meta"]["matchingField"]) == "phone");
    bench.ask("POST", "/contacts/", R"({"locationId":"loc_demo","email":"one@x.co"})");
    const Document books = bench.control("GET", "/_simulator/books");
    CHECK(books["created"]["contacts"].GetInt() == 1);
    CHECK(books["created"]["repeated_emails"].Empty());
  }

  TEST_CASE("pages by startAfter visit every contact once") {
    Bench bench;
    std::set<std::string> seen;
    std::string target = "/contacts/?locationId=loc_demo&limit=10";
    for (int pages = 1; !target.empty(); ++pages) {
      REQUIRE(pages <= 3);
      const Document page = bench.json("GET", target);
      CHECK(page["meta"]["total"].GetInt() == 25);
      for (const Value& contact : page["contacts"].GetArray()) CHECK(seen.insert(contact["id"].GetString()).second);
      const auto next = string_member(page["meta"], "nextPageUrl");
      target = next ? next->substr(next->find("/contacts/")) : "";
    }
    CHECK(seen.size() == 25);
  }

  TEST_CASE("two simulators on the logical clock answer equal calls with equal bytes") {
    Bench one, two;
    for (const char* body :
         {R"({"locationId":"loc_demo","email":"a@x.co"})", R"({"locationId":"loc_demo","email":"b@x.co"})"}) {
      CHECK(one.ask("POST", "/contacts/upsert", body).body == two.ask("POST", "/contacts/upsert", body).body);
    }
  }

  TEST_CASE("a body nested 100,000 deep is refused like any other that is no JSON") {
    Bench bench;
    CHECK(bench.ask("PUT", kFirst, std::string(100'000, '[')).status == 400);
    CHECK(bench.ask("PUT", kFirst, R"({"customFields":)" + std::string(70, '[') + std::string(70, ']') + "}").status ==
          400);
  }

  TEST_CASE("a fault strikes the matching calls as often as it was asked to") {
    Bench bench;
    bench.control(
        "POST", "/_simulator/faults",
        R"({"match":{"method":"GET","path_prefix":"/contacts/contact"},"fault":"status=503;retry-after=2","count":2})");
    CHECK(bench.ask("GET", "/contacts/?locationId=loc_demo").status == 200);
    const Answer struck = bench.ask("GET", kFirst);
    CHECK(struck.status == 503);
    CHECK(field(struck, "Retry-After") == "2");
    CHECK(bench.ask("GET", kFirst).status == 503);
    CHECK(bench.ask("GET", kFirst).status == 200);
    CHECK(bench.control("GET", "/_simulator/books")["faults"].GetInt() == 2);
  }

  TEST_CASE("reset brings the contacts back and empties limits and books") {
    Bench bench;
    bench.ask("DELETE", kFirst);
    CHECK(bench.control("POST", "/_simulator/seed", R"({"location":"loc_new","contacts":3})")["contacts"].GetInt() ==
          3);
    bench.control("POST", "/_simulator/reset");
    const Document books = bench.control("GET", "/_simulator/books");
    CHECK(books["contacts"].GetInt() == 25);
    CHECK(books["total"].GetInt() == 0);
    CHECK(bench.ask("GET", kFirst).status == 200);
  }
}
