// The stream of records where upstream's pages are other than the simulator's: what they say of the next one, and of
// how many contacts there are.
#include <doctest/doctest.h>

#include "tests/end_to_end/records_stream.h"
#include "tests/support/collector.h"
#include "tests/support/gateway_process.h"
#include "tests/support/http_client.h"

using namespace test_support;
using records_test::Export, records_test::kRecords;

namespace {

constexpr std::size_t kContacts = 250;

// Where a page of documented_contacts() begins.
std::size_t asked_from(const Collector::Request& request) {
  const auto at = request.head.find("startAfterId=contact");
  return at == std::string::npos ? 0 : std::stoul(request.head.substr(at + 20)) - 1'000 + 1;
}

std::string documented_contacts(std::size_t from) {
  std::string list;
  for (auto index = from; index < std::min(from + 100, kContacts); ++index)
    list += (list.empty() ? "" : ",") +
            (R"({"id":"contact)" + std::to_string(1'000 + index) + R"(","dateAdded":"2026-01-01T00:00:00.000Z"})");
  return "[" + list + "]";
}

// An upstream as the vendor's document has it: `{"contacts":[…],"count":250}`, without `meta`.
std::string documented_page(const Collector::Request& request) {
  return R"({"contacts":)" + documented_contacts(asked_from(request)) + R"(,"count":250})";
}

// One whose marks are its own numbers: it tells them, but for the last page, and takes no other.
std::string marked_page(const Collector::Request& request) {
  const auto from = asked_from(request);
  if (from > 0 && request.head.find("startAfter=" + std::to_string(from) + "&") == std::string::npos)
    return R"({"message":"startAfter is unknown"})";
  const auto mark = R"(,"startAfter":)" + std::to_string(from + 100) + R"(,"startAfterId":"contact)" +
                    std::to_string(1'000 + from + 99) + "\"";
  return R"({"contacts":)" + documented_contacts(from) + R"(,"meta":{"total":250)" +
         (from + 100 < kContacts ? mark : "") + "}}";
}

}  // namespace

TEST_SUITE("records") {
  TEST_CASE("the stream has all contacts of an upstream that does not say where its next page begins") {
    Collector upstream;
    upstream.answer_with(documented_page);
    GatewayProcess gateway({.upstream = upstream.url(), .settings = {{"rate_limit.requests", "1000"}}});
    const Export all(HttpClient(gateway.address()).get(kRecords).body);
    CHECK(all.ids.size() == 250);
    CHECK(Json(all.last).integer("end.done") == 250);
    const Export rest(HttpClient(gateway.address()).get(kRecords + "?cursor=" + all.cursors[149]).body);
    CHECK(rest.order == std::vector<std::string>(all.order.begin() + 150, all.order.end()));
  }

  TEST_CASE("the stream has all contacts of an upstream that says there is a next page, and not where it begins") {
    Collector upstream;
    upstream.answer_with([](const Collector::Request& request) {
      const auto contacts = documented_contacts(asked_from(request));
      return R"({"contacts":)" + contacts + (contacts == "[]" ? "}" : R"(,"count":100,"meta":{"nextPage":2}})");
    });
    GatewayProcess gateway({.upstream = upstream.url(), .settings = {{"rate_limit.requests", "1000"}}});
    CHECK(Export(HttpClient(gateway.address()).get(kRecords).body).ids.size() == 250);
  }

  TEST_CASE("where upstream told its marks, or all that it counts are there, none of the gateway's own is asked for") {
    Collector upstream;
    GatewayProcess gateway({.upstream = upstream.url(), .settings = {{"rate_limit.requests", "1000"}}});
    HttpClient client(gateway.address());
    const auto whole = [&](const std::string& target, std::size_t records, std::size_t pages) {
      const auto before = upstream.requests().size();
      Export all(client.get(target).body);
      CHECK(all.ids.size() == records);
      CHECK_MESSAGE(Json(all.last).integer("end.done") == 250, all.last);
      CHECK(upstream.requests().size() - before == pages);
      return all;
    };
    upstream.answer_with(marked_page);
    const auto marked = whole(kRecords, 250, 3);
    whole(kRecords + "?cursor=" + marked.cursors[219], 30, 1);  // this run's only page is one that does not tell
    upstream.answer_with([](const Collector::Request& request) {
      return R"({"contacts":)" + documented_contacts(asked_from(request)) + R"(,"meta":{"total":250}})";
    });
    whole(kRecords, 250, 3);
  }

  TEST_CASE("contacts that are deleted while they are read lower what upstream counts, and nothing is left out") {
    Collector upstream;
    upstream.answer_with([](const Collector::Request& request) {
      const auto from = asked_from(request);  // behind the first page 60 of its contacts are gone
      return R"({"contacts":)" + documented_contacts(from) + R"(,"meta":{"total":)" + (from == 0 ? "250}}" : "190}}");
    });
    GatewayProcess gateway({.upstream = upstream.url(), .settings = {{"rate_limit.requests", "1000"}}});
    HttpClient client(gateway.address());
    const Export all(client.get(kRecords).body);
    CHECK(all.ids.size() == 250);
    for (const std::size_t at : {99u, 149u}) {
      const Export rest(client.get(kRecords + "?cursor=" + all.cursors[at]).body);
      CHECK(rest.order == std::vector<std::string>(all.order.begin() + static_cast<long>(at) + 1, all.order.end()));
    }
  }

  TEST_CASE("where an upstream's contacts cannot be reached the stream says so, and repeats none when it goes on") {
    Collector upstream;
    const auto first = [](const Collector::Request&) { return documented_page({}); };
    upstream.answer_with(first);  // it knows no pages
    GatewayProcess gateway({.upstream = upstream.url(), .settings = {{"rate_limit.requests", "1000"}}});
    for (std::string target = kRecords; const std::size_t records : {100u, 0u}) {
      const Export part(HttpClient(gateway.address()).get(target).body);
      CHECK(part.ids.size() == records);
      const Json last(part.last);
      CHECK(last.text("problem.detail") == "Behind contact 100 it lists the same ones again, of 250 that it counts.");
      target = kRecords + "?cursor=" + last.text("cursor");
    }
  }
}
