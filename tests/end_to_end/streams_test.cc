// The reconciliation stream as a stream: slow readers hold it back, hang-ups and the gateway's end end it, others do
// not feel it.
#include <doctest/doctest.h>

#include <algorithm>
#include <csignal>

#include "tests/support/gateway_process.h"
#include "tests/support/http_client.h"
#include "tests/support/json.h"
#include "tests/support/simulator_process.h"

using namespace test_support;

namespace {

const std::string kRecords = "/gateway/locations/loc_demo/records";
constexpr milliseconds kLimit{60'000};

struct Pair {
  explicit Pair(std::vector<std::string> simulated, std::vector<std::pair<std::string, std::string>> settings = {})
      : simulator({std::move(simulated)}) {
    settings.emplace_back("credentials.token", "simulator-token");
    gateway.emplace(GatewayOptions{.upstream = simulator.url(), .settings = std::move(settings)});
  }
  std::int64_t asked() { return Json(HttpClient(simulator.address()).get("/_simulator/books").body).integer("total"); }
  void begin(HttpClient& client, const std::string& target) {
    client.connect();
    client.write("GET " + target + " HTTP/1.1\r\nHost: x\r\n\r\n");
  }
  SimulatorProcess simulator;
  std::optional<GatewayProcess> gateway;
};

// Whether the number of upstream's requests stands still for a while.
bool stands_still(Pair& pair) {
  std::int64_t before = pair.asked();
  int same = 0;
  return eventually(
      kLimit,
      [&] {
        const auto now = pair.asked();
        same = now == before ? same + 1 : 0;
        before = now;
        return same == 10;
      },
      milliseconds(50));
}

}  // namespace

TEST_SUITE("streams") {
  TEST_CASE("a client that does not read holds its export back, and gets all of it when it does") {
    constexpr std::int64_t kContacts = 20'000, kPages = kContacts / 100;
    Pair pair({"--contacts", std::to_string(kContacts), "--limit", "100000"}, {{"rate_limit.requests", "100000"}});
    HttpClient client(pair.gateway->address(), kLimit);
    pair.begin(client, kRecords);
    REQUIRE(eventually(kLimit, [&] { return pair.asked() > 3; }));
    REQUIRE(stands_still(pair));
    const auto held = pair.asked();
    MESSAGE("pages fetched for a client that does not read: " << held << " of " << kPages);
    CHECK(held < kPages / 2);  // what fits into its buffers and the kernel's
    const HttpResponse response = client.read();
    CHECK(static_cast<std::int64_t>(std::count(response.body.begin(), response.body.end(), '\n')) == kContacts + 1);
    CHECK(response.body.ends_with("{\"end\":{\"done\":20000}}\n"));
  }

  TEST_CASE("a client that hangs up ends its export") {
    Pair pair({"--contacts", "2000", "--latency", "20ms", "--limit", "100000"}, {{"rate_limit.requests", "100000"}});
    HttpClient client(pair.gateway->address(), kLimit);
    pair.begin(client, kRecords + "?include=notes,tasks");
    REQUIRE(eventually(kLimit, [&] { return pair.asked() > 20; }));
    client.reset();
    CHECK(pair.gateway->process().wait_for_line(Stream::Error, "\"client-left\"", kLimit));
    REQUIRE(stands_still(pair));
    CHECK(pair.asked() < 4000);
  }

  TEST_CASE("a gateway that ends lets its exports go with a cursor, and another one goes on") {
    Pair pair({"--contacts", "600", "--latency", "10ms", "--limit", "100000"}, {{"rate_limit.requests", "100000"}});
    HttpClient client(pair.gateway->address(), kLimit);
    pair.begin(client, kRecords + "?include=notes");
    REQUIRE(eventually(kLimit, [&] { return pair.asked() > 50; }));
    pair.gateway->process().signal(SIGTERM);
    const HttpResponse first = client.read();
    CHECK(pair.gateway->process().wait_for_exit(kLimit) == 0);
    const auto last = first.body.substr(first.body.rfind('\n', first.body.size() - 2) + 1);
    const Json json(last);
    CHECK(json.text("problem.type") == "https://contacts-gateway.dev/problems/ending");
    const auto before = std::count(first.body.begin(), first.body.end(), '\n') - 1;

    GatewayProcess next({.upstream = pair.simulator.url(),
                         .settings = {{"credentials.token", "simulator-token"}, {"rate_limit.requests", "100000"}}});
    HttpClient other(next.address(), kLimit);
    const HttpResponse second = other.get(kRecords + "?cursor=" + json.text("cursor"));
    CHECK(before + std::count(second.body.begin(), second.body.end(), '\n') - 1 == 600);
  }

  TEST_CASE("an export leaves half of the rate limit to others: they do not wait for it") {
    Pair pair({"--contacts", "400", "--limit", "40", "--interval", "2s"},
              {{"rate_limit.requests", "40"}, {"rate_limit.interval", "2s"}});
    HttpClient client(pair.gateway->address(), kLimit), other(pair.gateway->address(), kLimit);
    pair.begin(client, kRecords + "?include=notes");
    REQUIRE(eventually(kLimit, [&] { return pair.asked() >= 15; }));
    for (int i = 0; i < 10; ++i) {
      const HttpResponse response = other.get("/contacts/contact0000000000001", {{"Cache-Control", "no-store"}});
      CHECK(response.status == 200);
      // Not one of them waits for a slot: the window is 2 s long.
      const auto waited = response.field("Server-Timing");
      CAPTURE(waited);
      CHECK((waited.empty() || std::stod(waited.substr(waited.find("dur=") + 4)) < 1000));
    }
    const auto books = Json(HttpClient(pair.simulator.address()).get("/_simulator/books").body);
    CHECK_FALSE(books.has("statuses.429"));
    client.reset();
  }
}
