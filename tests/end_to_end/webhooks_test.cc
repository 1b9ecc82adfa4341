// Webhooks: a contact is edited at the upstream behind the gateway's back, and its signed event reaches the readers of
// every replica. What is unsigned, forged, stale or repeated changes nothing.
#include <doctest/doctest.h>

#include <algorithm>
#include <csignal>
#include <cstdlib>
#include <memory>

#include "tests/support/eventually.h"
#include "tests/support/gateway_process.h"
#include "tests/support/http_client.h"
#include "tests/support/json.h"
#include "tests/support/redis_server.h"
#include "tests/support/sanitized.h"
#include "tests/support/simulator_process.h"

using namespace test_support;

namespace {

const std::string kContact = "/contacts/contact0000000000001";
const std::string kHook = "/webhooks/leadconnector";

// Replicas behind which the contact changes: their caches keep it for ten minutes unless an event tells of it.
class World {
 public:
  World(int replicas, bool with_redis) {
    if (with_redis) redis_ = std::make_unique<RedisServer>();
    key_ = Json(upstream_.get("/_simulator/webhooks").body).text("public_key");
    for (int i = 0; i < replicas; ++i) {
      GatewayOptions options{.upstream = simulator_.url(),
                             .settings = {{"credentials.token", "simulator-token"},
                                          {"cache.operations.get-contact.fresh", "10m"},
                                          {"webhooks.public_key", key_},
                                          {"server.threads", "1"}}};
      if (redis_) options.settings.push_back({"redis.url", redis_->url()});
      gateways_.push_back(std::make_unique<GatewayProcess>(options));
      clients_.push_back(std::make_unique<HttpClient>(gateways_.back()->address(), milliseconds(20'000)));
    }
  }

  void deliver_to(const std::string& address) {
    const auto url = address.empty() ? "" : "http://" + address + kHook;
    post_upstream("/_simulator/webhooks", "{\"url\":" + json_string(url) + "}");
  }
  // The vendor's own screens.
  void edit(const std::string& name) {
    const auto answer = upstream_.send({.method = "PUT",
                                        .target = kContact,
                                        .fields = {{"Authorization", "Bearer simulator-token"},
                                                   {"Version", "2021-07-28"},
                                                   {"Content-Type", "application/json"}},
                                        .body = "{\"firstName\":" + json_string(name) + "}"});
    REQUIRE(answer.status == 200);
  }
  // The event as it was sent; its delivery goes on meanwhile.
  std::string send(const std::string& event, const std::string& signature = "valid") {
    return post_upstream("/_simulator/webhooks/send",
                         "{\"event\":" + event + ",\"signature\":" + json_string(signature) + "}");
  }
  std::int64_t book(const std::string& name) { return Json(upstream_.get("/_simulator/webhooks").body).integer(name); }
  // What the gateway said to the next delivery, once it is final.
  std::int64_t status_of(const std::string& event, const std::string& signature = "valid") {
    const auto done = [this] { return book("delivered") + book("failed"); };
    const auto before = done();
    send(event, signature);
    REQUIRE(eventually(milliseconds(20'000), [&] { return done() == before + 1; }));
    return book("last_status");
  }
  std::string name_at(std::size_t replica) {
    const auto answer = clients_[replica]->get(kContact);
    REQUIRE(answer.status == 200);
    return Json(answer.body).text("contact.firstName");
  }
  bool all_say(const std::string& name) {
    for (std::size_t i = 0; i < clients_.size(); ++i)
      if (name_at(i) != name) return false;
    return true;
  }
  HttpClient& client(std::size_t replica) { return *clients_[replica]; }
  std::string metrics(std::size_t replica) {
    return HttpClient(gateways_[replica]->admin_address()).get("/metrics").body;
  }
  GatewayProcess& gateway(std::size_t replica) { return *gateways_[replica]; }
  RedisServer& redis() { return *redis_; }
  const std::string& key() const { return key_; }

 private:
  std::string post_upstream(const std::string& target, const std::string& body) {
    const auto answer = upstream_.send(
        {.method = "POST", .target = target, .fields = {{"Content-Type", "application/json"}}, .body = body});
    REQUIRE_MESSAGE(answer.status == 200, answer.body);
    return answer.body;
  }

  SimulatorProcess simulator_{{.arguments = {"--limit", "0", "--daily", "0", "--webhook-legacy"}}};
  HttpClient upstream_{simulator_.address(), milliseconds(20'000)};
  std::unique_ptr<RedisServer> redis_;
  std::string key_;
  std::vector<std::unique_ptr<GatewayProcess>> gateways_;
  std::vector<std::unique_ptr<HttpClient>> clients_;
};

std::string update_of(const std::string& id, const std::string& more = "") {
  return R"({"type":"ContactUpdate","locationId":"loc_demo","id":"contact0000000000001","webhookId":")" + id + "\"" +
         more + "}";
}

int counted(const std::string& metrics, const std::string& type, const std::string& result) {
  const std::string line = "gateway_webhooks_total{type=\"" + type + "\",result=\"" + result + "\"} ";
  const auto at = metrics.find(line);
  return at == std::string::npos ? 0 : std::atoi(metrics.c_str() + at + line.size());
}

}  // namespace

TEST_SUITE("webhooks") {
  TEST_CASE("a contact edited behind the gateway's back is read anew through every replica soon after its event") {
    World world(3, true);
    world.edit("before");
    for (std::size_t i = 0; i < 3; ++i) CHECK(world.name_at(i) == "before");
    world.edit("unseen");  // no webhook URL yet: the caches keep what they have
    CHECK(world.all_say("before"));

    world.deliver_to(world.gateway(0).address());
    std::vector<milliseconds> took;
    for (int round = 0; round < 20; ++round) {
      const auto name = "after" + std::to_string(round);
      world.edit(name);
      const auto sent = std::chrono::steady_clock::now();
      REQUIRE(eventually(
          milliseconds(20'000), [&] { return world.all_say(name); }, milliseconds(1)));
      took.push_back(std::chrono::duration_cast<milliseconds>(std::chrono::steady_clock::now() - sent));
    }
    std::ranges::sort(took);
    MESSAGE("event to three replicas, ms: median " << took[10].count() << ", worst " << took.back().count());
    CHECK(took[10] < milliseconds(100) * (kSanitized ? 10 : 1));
    // Each edit sent one event, and readers may see it before its sender has its 200.
    CHECK(eventually(milliseconds(20'000), [&] { return world.book("delivered") == 20; }));
    CHECK(counted(world.metrics(0), "ContactUpdate", "accepted") == 20);
  }

  TEST_CASE("unsigned, forged, stale, repeated, oversized and unreadable webhooks are refused and change nothing") {
    for (const bool with_redis : {false, true}) {
      CAPTURE(with_redis);
      const std::size_t replicas = with_redis ? 2 : 1;
      World world(static_cast<int>(replicas), with_redis);
      world.edit("before");
      CHECK(world.all_say("before"));
      world.edit("unseen");

      world.deliver_to(world.gateway(0).address());
      CHECK(world.status_of(update_of("w1"), "none") == 401);
      CHECK(world.status_of(update_of("w1"), "forged") == 401);
      CHECK(world.status_of(update_of("w2", R"(,"timestamp":"2021-11-26T12:41:02.193Z")")) == 403);
      CHECK(world.status_of(update_of("w2", R"(,"timestamp":"2121-11-26T12:41:02.193Z")")) == 403);
      CHECK(world.status_of(R"({"locationId":"loc_demo"})") == 400);
      CHECK(world.status_of(update_of("w3", R"(,"note":")" + std::string(1 << 20, 'x') + "\"")) == 413);
      CHECK(world.status_of(R"({"type":"SomethingNew","id":"contact0000000000001"})") == 200);
      CHECK(world.status_of(R"({"type":"InboundMessage","contactId":"contact0000000000001"})") == 200);
      CHECK(world.client(0).get(kHook).status == 405);
      CHECK(world.all_say("before"));

      CHECK(world.status_of(update_of("w4")) == 200);
      CHECK(world.all_say("unseen"));
      world.deliver_to("");
      world.edit("again");
      world.deliver_to(world.gateway(replicas - 1).address());  // where there is another, it knows of it too
      CHECK(world.status_of(update_of("w4")) == 409);
      CHECK(world.all_say("unseen"));
      CHECK(world.status_of(update_of("w5")) == 200);
      CHECK(world.all_say("again"));

      const auto metrics = world.metrics(0);
      CHECK(counted(metrics, "unknown", "unsigned") == 1);
      CHECK(counted(metrics, "unknown", "forged") == 1);
      CHECK(counted(metrics, "unknown", "malformed") == 1);
      CHECK(counted(metrics, "unknown", "oversized") == 1);
      CHECK(counted(metrics, "ContactUpdate", "stale") == 2);
      CHECK(counted(world.metrics(replicas - 1), "ContactUpdate", "repeated") == 1);
    }
  }

  TEST_CASE("while Redis is away a webhook is not acknowledged, and its next attempt is taken") {
    World world(1, true);
    world.edit("before");
    CHECK(world.all_say("before"));
    world.edit("after");
    world.deliver_to(world.gateway(0).address());
    world.redis().kill();
    world.send(update_of("w1"));
    REQUIRE(eventually(milliseconds(20'000),
                       [&] { return counted(world.metrics(0), "ContactUpdate", "unavailable") > 0; }));
    world.redis().start();
    REQUIRE(eventually(milliseconds(20'000),
                       [&] { return world.metrics(0).find("gateway_redis_up 1") != std::string::npos; }));
    if (world.book("delivered") == 0 && world.book("failed") > 0) CHECK(world.status_of(update_of("w1")) == 200);
    REQUIRE(eventually(milliseconds(60'000), [&] { return world.book("delivered") > 0; }));
    CHECK(world.all_say("after"));
  }

  TEST_CASE("without a key the path is not there") {
    SimulatorProcess simulator;
    GatewayProcess gateway({.upstream = simulator.url(), .settings = {{"credentials.token", "simulator-token"}}});
    HttpClient client(gateway.address());
    CHECK(client.send({.method = "POST", .target = kHook, .body = "{}"}).status == 404);
    CHECK(client.get(kHook).status == 404);
  }

  TEST_CASE(
      "a key that the settings bring with SIGHUP is taken without a restart, and one that is none stops nothing") {
    SimulatorProcess simulator;
    TempDir folder;
    const auto settings = [](const std::string& key) {
      return R"({"credentials":{"token":"simulator-token"},"webhooks":{"public_key":)" + json_string(key) + "}}";
    };
    const std::string key(64, 'a');
    folder.write("gateway.json", R"({"credentials":{"token":"simulator-token"}})");
    GatewayProcess gateway({.upstream = simulator.url(), .config_file = folder.path() / "gateway.json"});
    const auto reload = [&](const std::string& text) {
      folder.write("gateway.json", text);
      gateway.process().signal(SIGHUP);
    };
    const auto status = [&] {
      return HttpClient(gateway.address()).send({.method = "POST", .target = kHook, .body = "{}"}).status;
    };
    CHECK(status() == 404);
    reload(settings(key));
    CHECK(eventually(milliseconds(20'000), [&] { return status() == 401; }));
    reload(settings("no key"));
    CHECK(gateway.process().wait_for_line(Stream::Error, "webhooks.public_key: expected", milliseconds(20'000)));
    CHECK(status() == 401);
  }
}
