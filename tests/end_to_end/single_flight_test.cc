// Many clients on one cold key, clients that hang up, and descriptors that are used again by strangers.
#include <doctest/doctest.h>

#include <vector>

#include "tests/support/eventually.h"
#include "tests/support/gateway_process.h"
#include "tests/support/http_client.h"
#include "tests/support/json.h"
#include "tests/support/redis_server.h"
#include "tests/support/simulator_process.h"

using namespace test_support;

namespace {

std::string contact_id(int number) {
  std::string digits = std::to_string(number);
  return "contact" + std::string(13 - digits.size(), '0') + digits;
}

// A slow upstream, so that what is asked meanwhile finds the fetch under way.
struct Slow {
  SimulatorProcess simulator{
      {.arguments = {"--latency", "400ms", "--limit", "0", "--daily", "100000000", "--contacts", "150"}}};
  GatewayProcess gateway{
      {.upstream = simulator.url(),
       .settings = {
           {"credentials.token", "simulator-token"}, {"rate_limit.requests", "100000"}, {"log.requests", "errors"}}}};

  std::int64_t upstream_requests() {
    return Json(HttpClient(simulator.address()).get("/_simulator/books").body).integer("total");
  }
  double connections() {
    const auto text = HttpClient(gateway.admin_address()).get("/metrics").body;
    const auto at = text.find("\ngateway_connections ");
    return at == std::string::npos ? 0 : std::atof(text.c_str() + at + sizeof "\ngateway_connections " - 1);
  }
  std::vector<HttpClient> ask(int clients, int first_contact, int step) {
    std::vector<HttpClient> asking;
    asking.reserve(static_cast<std::size_t>(clients));
    for (int i = 0; i < clients; ++i) {
      const std::string target = "/contacts/" + contact_id(first_contact + i * step);
      asking.emplace_back(gateway.address(), milliseconds{30'000}).write(to_bytes({.target = target}, "gateway"));
    }
    return asking;
  }
};

}  // namespace

TEST_SUITE("single flight") {
  TEST_CASE("500 clients on one cold key cause one upstream request and all get its answer") {
    Slow slow;
    std::vector<HttpClient> clients = slow.ask(500, 1, 0);
    std::string body;
    for (HttpClient& client : clients) {
      const HttpResponse response = client.read();
      CHECK(response.status == 200);
      if (body.empty()) body = response.body;
      CHECK(response.body == body);
    }
    CHECK(Json(body).text("contact.id") == contact_id(1));
    CHECK(slow.upstream_requests() == 1);
  }

  TEST_CASE("clients that hang up, the first one too, cost the others nothing") {
    Slow slow;
    std::vector<HttpClient> clients = slow.ask(100, 1, 0);
    // A fetch that nobody waits for any more ends: those who stay must have come, on each of the workers.
    REQUIRE(eventually(
        milliseconds{300}, [&] { return slow.connections() >= 100; }, milliseconds{1}));
    const auto stays = [](std::size_t i) { return i / 2 % 2 == 1; };
    for (std::size_t i = 0; i < clients.size(); ++i)
      if (!stays(i)) clients[i].reset();
    for (std::size_t i = 0; i < clients.size(); ++i) {
      if (!stays(i)) continue;
      const HttpResponse response = clients[i].read();
      CHECK(response.status == 200);
      CHECK(Json(response.body).text("contact.id") == contact_id(1));
    }
    CHECK(slow.upstream_requests() == 1);
  }

  TEST_CASE("an answer whose client is gone reaches nobody that got the same descriptor") {
    Slow slow;
    for (int round = 0; round < 3; ++round) {
      std::vector<HttpClient> leaving = slow.ask(50, 1, 1);
      for (HttpClient& client : leaving) client.reset();
      std::vector<HttpClient> coming = slow.ask(50, 51, 1);
      for (std::size_t i = 0; i < coming.size(); ++i) {
        const HttpResponse response = coming[i].read();
        CHECK(response.status == 200);
        CHECK(Json(response.body).text("contact.id") == contact_id(51 + static_cast<int>(i)));
        CHECK_FALSE(coming[i].closed_by_peer(milliseconds{0}));
      }
    }
  }

  TEST_CASE("a replica that looked up and fetched nothing does not keep the others waiting") {
    RedisServer redis;
    SimulatorProcess simulator{{.arguments = {"--limit", "0", "--daily", "0"}}};
    const GatewayOptions options{
        .upstream = simulator.url(),
        .settings = {{"credentials.token", "simulator-token"}, {"redis.url", redis.url()}, {"log.requests", "errors"}}};
    GatewayProcess first(options), second(options);
    HttpClient warm(first.address());  // on both, so that Redis is connected
    REQUIRE(warm.get("/contacts/" + contact_id(2)).status == 200);
    REQUIRE(eventually(milliseconds{5'000}, [&] {
      return HttpClient(second.address()).get("/contacts/" + contact_id(2)).field("Cache-Status").find("hit") !=
             std::string::npos;
    }));
    CHECK(warm.get("/contacts/" + contact_id(1), {{"Cache-Control", "only-if-cached"}}).status == 504);
    CHECK(HttpClient(second.address(), milliseconds{5'000}).get("/contacts/" + contact_id(1)).status == 200);
  }
}
