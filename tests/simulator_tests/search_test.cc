#include "tests/simulator/search.h"

#include <doctest/doctest.h>

#include "tests/simulator_tests/world.h"

using namespace simulator;
using namespace simulator_tests;

namespace {

int total(Bench& bench, const std::string& filters) {
  return bench.json("POST", "/contacts/search", R"({"locationId":"loc_demo","filters":)" + filters + "}")["total"]
      .GetInt();
}

}  // namespace

TEST_SUITE("search") {
  TEST_CASE("each operator and group finds what it should among 25 contacts") {
    Bench bench;
    bench.ask("PUT", kFirst, R"({"customFields":[{"id":"cf1","field_value":"Gold"}],"dateOfBirth":"1990-09-25"})");
    const struct {
      std::string filters;
      int total;
    } rows[] = {
        {"[]", 25},
        {R"([{"field":"email","operator":"eq","value":"ADA.1@example.com"}])", 1},
        {R"([{"field":"tags","operator":"eq","value":["customer"]}])", 12},
        {R"([{"field":"tags","operator":"not_eq","value":"customer"}])", 13},
        {R"([{"field":"firstName","operator":"contains","value":"ra"}])", 9},
        {R"([{"field":"firstName","operator":"not_contains","value":"ra"}])", 16},
        {R"([{"field":"email","operator":"wildcard","value":"ada.*@example.com"}])", 4},
        {R"([{"field":"dateOfBirth","operator":"exists"}])", 1},
        {R"([{"field":"dateOfBirth","operator":"not_exists"}])", 24},
        {R"([{"field":"customFields.cf1","operator":"eq","value":"gold"}])", 1},
        {R"([{"field":"dateAdded","operator":"range","value":{"gte":1704067202000,"lt":1704067205000}}])", 3},
        {R"([{"group":"OR","filters":[{"field":"firstName","operator":"eq","value":"Ada"},{"field":"firstName","operator":"eq","value":"Alan"}]}])",
         7},
        {R"([{"group":"AND","filters":[{"field":"firstName","operator":"eq","value":"Ada"},{"field":"id","operator":"eq","value":"contact0000000000009"}]}])",
         1},
    };
    for (const auto& row : rows) {
      CAPTURE(row.filters);
      CHECK(total(bench, row.filters) == row.total);
    }
  }

  TEST_CASE("a wrong search names what is wrong") {
    Bench bench;
    for (const char* body : {R"({"locationId":"loc_demo","pageLimit":501})", R"({"locationId":"loc_demo","page":0})",
                             R"({"locationId":"loc_demo","filters":[{"field":"email","operator":"near","value":"a"}]})",
                             R"({"locationId":"loc_demo","filters":[{"group":"XOR","filters":[]}]})",
                             R"({"locationId":"loc_demo","sort":[{"field":"email","direction":"up"}]})",
                             R"({"locationId":"loc_demo","searchAfter":["one"]})"}) {
      CAPTURE(body);
      CHECK(bench.ask("POST", "/contacts/search", body).status == 400);
    }
  }

  TEST_CASE("searchAfter visits every contact once, in the default order and in a given one") {
    for (const std::string sort : {"", R"("sort":[{"field":"firstName","direction":"asc"}],)"}) {
      Bench bench;
      std::string after = "[]";
      std::size_t seen = 0;
      for (int pages = 1;; ++pages) {
        REQUIRE(pages <= 4);
        const Document page =
            bench.json("POST", "/contacts/search",
                       R"({"locationId":"loc_demo","pageLimit":10,)" + sort + R"("searchAfter":)" + after + "}");
        const auto contacts = page["contacts"].GetArray();
        if (contacts.Empty()) break;
        seen += contacts.Size();
        after = to_json(contacts[contacts.Size() - 1]["searchAfter"]);
      }
      CHECK(seen == 25);
    }
  }
}
