// POSTs that are sent again with the same Idempotency-Key, because an answer was lost or a replica died: the
// simulator's own books say how many contacts were created.
#include <doctest/doctest.h>

#include <csignal>
#include <thread>

#include "tests/support/eventually.h"
#include "tests/support/gateway_process.h"
#include "tests/support/http_client.h"
#include "tests/support/json.h"
#include "tests/support/redis_server.h"
#include "tests/support/simulator_process.h"

using namespace test_support;

namespace {

using Settings = std::vector<std::pair<std::string, std::string>>;

std::string contact_body(const std::string& email) {
  return R"({"locationId":"loc_demo","firstName":"Ada","email":)" + json_string(email) + "}";
}

HttpRequest create(const std::string& key, const std::string& email) {
  return {.method = "POST",
          .target = "/contacts/",
          .fields = {{"Content-Type", "application/json"}, {"Idempotency-Key", key}},
          .body = contact_body(email)};
}

struct World {
  explicit World(int replicas, std::vector<std::string> simulator_arguments = {}, Settings more = {},
                 bool with_redis = true)
      : simulator(with_limits(std::move(simulator_arguments))) {
    if (with_redis) redis.emplace();
    settings = {{"credentials.token", "simulator-token"},
                {"rate_limit.requests", "100000"},
                {"rate_limit.daily", "100000000"},
                {"log.requests", "errors"}};
    if (redis) settings.emplace_back("redis.url", redis->url());
    for (auto& one : more) settings.push_back(one);
    for (int i = 0; i < replicas; ++i) start();
  }
  static SimulatorOptions with_limits(std::vector<std::string> arguments) {
    arguments.insert(arguments.end(), {"--limit", "0", "--daily", "100000000", "--allow-duplicates"});
    return {.arguments = std::move(arguments)};
  }
  void start() {
    gateways.push_back(
        std::make_unique<GatewayProcess>(GatewayOptions{.upstream = simulator.url(), .settings = settings}));
  }
  HttpResponse send(std::size_t replica, const HttpRequest& request) {
    return HttpClient(gateways[replica]->address(), milliseconds{40'000}).send(request);
  }
  void fault(const std::string& fault, int count) {
    const auto response = HttpClient(simulator.address())
                              .send({.method = "POST",
                                     .target = "/_simulator/faults",
                                     .body = R"({"match":{"method":"POST"},"fault":)" + json_string(fault) +
                                             ",\"count\":" + std::to_string(count) + "}"});
    REQUIRE(response.status == 200);
  }
  Json books() { return Json(HttpClient(simulator.address()).get("/_simulator/books").body); }
  std::int64_t created() { return books().integer("created.contacts"); }

  SimulatorProcess simulator;
  std::optional<RedisServer> redis;
  Settings settings;
  std::vector<std::unique_ptr<GatewayProcess>> gateways;
};

// The first client's request, under way on a thread of its own.
struct Background {
  Background(World& world, std::size_t replica, HttpRequest request)
      : thread([&world, replica, request = std::move(request)] {
          try {
            world.send(replica, request);
          } catch (const HttpError&) {
          }
        }) {}
  ~Background() { thread.join(); }
  std::thread thread;
};

}  // namespace

TEST_SUITE("idempotency") {
  TEST_CASE("a POST repeated after its answer was lost creates one contact and gets the first answer, on any replica") {
    for (const bool with_redis : {true, false}) {
      CAPTURE(with_redis);
      World world(with_redis ? 2 : 1, {"--latency", "100ms"}, {}, with_redis);
      const auto request = create("\"key-1\"", "one@example.com");
      {
        HttpClient leaves(world.gateways[0]->address());
        leaves.write(to_bytes(request, "gateway"));
        REQUIRE(eventually(milliseconds{10'000}, [&] { return world.books().integer("total") == 1; }));
        leaves.reset();
      }
      const auto first = world.send(0, request);
      CHECK(first.status == 201);
      CHECK(first.field("Idempotency-Replayed") == "true");
      for (std::size_t replica = 0; replica < world.gateways.size(); ++replica) {
        const auto again = world.send(replica, request);
        CHECK(again.status == 201);
        CHECK(again.body == first.body);
        CHECK(again.field("Content-Type") == first.field("Content-Type"));
      }
      CHECK(world.created() == 1);
      const auto other = world.send(0, create("\"key-1\"", "other@example.com"));
      CHECK(other.status == 422);
      CHECK(other.body.find("idempotency-mismatch") != std::string::npos);
      CHECK(world.send(0, create("two words", "one@example.com")).status == 400);
      CHECK(world.send(0, create("\"key-2\"", "one@example.com")).field("Idempotency-Replayed").empty());
      CHECK(world.created() == 2);
    }
  }

  TEST_CASE("repeats that arrive while the first is under way wait for it, through every replica") {
    World world(3, {"--latency", "300ms"});
    const auto request = create("\"together\"", "together@example.com");
    std::vector<HttpClient> clients;
    clients.reserve(12);
    for (std::size_t i = 0; i < 12; ++i)
      clients.emplace_back(world.gateways[i % 3]->address(), milliseconds{30'000}).write(to_bytes(request, "gateway"));
    std::string body;
    for (auto& client : clients) {
      const auto response = client.read();
      CHECK(response.status == 201);
      if (body.empty()) body = response.body;
      CHECK(response.body == body);
    }
    CHECK(world.created() == 1);
  }

  TEST_CASE("a replica that dies before it has sent leaves its key to the others") {
    World world(2, {}, {{"rate_limit.requests", "1"}, {"rate_limit.interval", "3s"}});
    REQUIRE(HttpClient(world.gateways[0]->address()).get("/contacts/contact0000000000001").status == 200);
    {
      const auto request = create("\"queued\"", "queued@example.com");
      Background first(world, 0, request);  // waits for the only slot
      REQUIRE(eventually(milliseconds{10'000}, [&] {
        return HttpClient(world.gateways[0]->admin_address())
                   .get("/metrics")
                   .body.find("gateway_idempotency_keys_total{result=\"fresh\"} 1") != std::string::npos;
      }));
      world.gateways[0]->process().signal(SIGKILL);
      const auto taken_over = world.send(1, request);
      CHECK(taken_over.status == 201);
    }
    CHECK(world.created() == 1);
  }

  TEST_CASE("without its Redis a keyed POST is refused rather than sent twice") {
    World world(1);
    world.redis->kill();
    const auto refused = world.send(0, create("\"away\"", "away@example.com"));
    CHECK(refused.status == 503);
    CHECK(refused.has("Retry-After"));
    CHECK(refused.body.find("idempotency-unavailable") != std::string::npos);
    CHECK(world.created() == 0);
    world.redis->start();
    CHECK(eventually(milliseconds{15'000},
                     [&] { return world.send(0, create("\"away\"", "away@example.com")).status == 201; }));
    CHECK(world.created() == 1);
  }

  TEST_CASE("a creation whose answer was lost at the upstream is found there, and sent again only where it is not") {
    for (const std::string fault : {"reset-after", "reset-before", "status=503;applied", "status=504", "garbage"}) {
      CAPTURE(fault);
      World world(1);
      world.fault(fault, 1);
      const auto request = create("\"lost\"", "Lost+1@example.com");
      const auto first = world.send(0, request);
      CHECK(first.status == 201);
      CHECK(Json(first.body).text("contact.email") == "Lost+1@example.com");
      const auto again = world.send(0, request);
      CHECK(again.body == first.body);
      CHECK(world.created() == 1);
    }
  }

  TEST_CASE("a replica that dies at any step of a creation leaves one contact, and the repeat gets it") {
    for (const std::string step : {"keyed-post-marked", "keyed-post-answered", "keyed-post-learned"}) {
      CAPTURE(step);
      World world(1, {}, {{"upstream.timeout", "2s"}, {"upstream.connect_timeout", "1s"}});
      GatewayProcess dies({.upstream = world.simulator.url(), .settings = world.settings, .fault_point = step});
      const auto request = create("\"crash\"", "crash@example.com");
      CHECK_THROWS_AS(HttpClient(dies.address(), milliseconds{20'000}).send(request), HttpError);
      CHECK(world.created() == (step == "keyed-post-marked" ? 0 : 1));
      const auto repeat = world.send(0, request);
      CHECK(repeat.status == 201);
      CHECK(Json(repeat.body).text("contact.email") == "crash@example.com");
      CHECK(world.send(0, request).body == repeat.body);
      CHECK(world.created() == 1);
    }
  }

  TEST_CASE("what nothing finds is told to be in doubt, and not sent twice") {
    World world(1);
    world.fault("reset-after", 1);
    HttpRequest note{.method = "POST",
                     .target = "/contacts/contact0000000000001/notes",
                     .fields = {{"Content-Type", "application/json"}, {"Idempotency-Key", "note-1"}},
                     .body = R"({"body":"once"})"};
    CHECK(world.send(0, note).status == 502);
    const auto repeat = world.send(0, note);
    CHECK(repeat.status == 409);
    CHECK(repeat.body.find("idempotency-in-doubt") != std::string::npos);
    CHECK(world.books().integer("total") == 1);
    // Tags are a set: they are sent again.
    world.fault("reset-after", 1);
    HttpRequest tags{.method = "POST",
                     .target = "/contacts/contact0000000000001/tags",
                     .fields = {{"Content-Type", "application/json"}, {"Idempotency-Key", "tags-1"}},
                     .body = R"({"tags":["once"]})"};
    CHECK(world.send(0, tags).status == 201);
    CHECK(world.books().integer("total") == 3);
  }
}
