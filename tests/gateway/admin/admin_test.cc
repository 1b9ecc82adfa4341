#include "gateway/admin/admin.h"

#include <doctest/doctest.h>

#include <optional>
#include <thread>

#include "gateway/access/key_hash.h"
#include "gateway/admin/operations.h"
#include "gateway/admin/purge.h"
#include "tests/support/http_client.h"
#include "tests/support/json.h"

namespace admin = gateway::admin;
namespace server = gateway::server;
using test_support::HttpClient;
using test_support::Json;

namespace {

// The admin address on a free port, with a route that needs the key ("/private") and a purge that notes what it is
// given.
struct Running {
  explicit Running(admin::Access access) : admin(std::move(access)) {
    admin.add({"GET", "/private", false, [](const server::RequestView&, server::Reply reply) {
                 reply.send(admin::answer(200, "text/plain", "in"));
               }});
    admin.add(admin::purge_route([this](admin::Purge wanted, std::function<void(admin::Purged)> done) {
      purge = std::move(wanted);
      // As the exchange does it: answered from another thread.
      std::thread([done = std::move(done), result = result] { done(result); }).join();
    }));
  }

  HttpClient& client() {
    if (!listening) {
      listening.emplace(server::Options{.name = "admin-test", .addresses = {"127.0.0.1:0"}, .threads = 1, .limits = {}},
                        admin.handlers());
      listening->start();
      connected.emplace(listening->addresses().front());
    }
    return *connected;
  }

  admin::Admin admin;
  admin::Purge purge;
  admin::Purged result{.done = true, .entries = 3, .why = ""};
  std::optional<server::Server> listening;
  std::optional<HttpClient> connected;
};

}  // namespace

TEST_SUITE("admin") {
  TEST_CASE("health is always 200, readiness names each part and why it is not ready") {
    Running running({});
    bool redis = true;
    running.admin.add_ready_check([] { return admin::ReadyPart{"cache", true, ""}; });
    running.admin.add_ready_check([&redis] {
      return admin::ReadyPart{"redis", redis, redis ? "" : "\"refused\" by the server"};
    });
    CHECK(running.client().get("/healthz").status == 200);
    auto ready = running.client().get("/readyz");
    CHECK(ready.status == 200);
    CHECK(ready.field("Cache-Control") == "no-store");
    CHECK(Json(ready.body).boolean("ready"));
    redis = false;
    ready = running.client().get("/readyz");
    CHECK(ready.status == 503);
    CHECK_FALSE(Json(ready.body).boolean("ready"));
    CHECK(Json(ready.body).boolean("parts.0.ready"));
    CHECK(Json(ready.body).text("parts.1.name") == "redis");
    CHECK(Json(ready.body).text("parts.1.why") == "\"refused\" by the server");
    CHECK(running.client().get("/healthz").status == 200);
  }

  TEST_CASE("other paths are 404, other methods 405 with Allow, HEAD goes where GET goes") {
    Running running({});
    CHECK(running.client().get("/nope").status == 404);
    CHECK(running.client().get("/healthz/").status == 404);
    const auto wrong = running.client().send({.method = "DELETE", .target = "/cache/purge"});
    CHECK(wrong.status == 405);
    CHECK(wrong.field("Allow") == "POST");
    CHECK(wrong.field("Content-Type") == "application/problem+json");
    CHECK(running.client().send({.method = "POST", .target = "/healthz"}).field("Allow") == "GET, HEAD");
    const auto head = running.client().send({.method = "HEAD", .target = "/healthz?x=y"});
    CHECK(head.status == 200);
    CHECK(head.body.empty());
  }

  TEST_CASE("who may: metrics and health everyone, the rest by key, or without one on loopback only") {
    const std::string key = gateway::access::new_key();
    const std::string hash = gateway::access::hash_key(key);
    const struct {
      admin::Access access;
      test_support::HttpFields fields;
      int status;
    } cases[] = {
        {{"", false}, {}, 200},
        {{"", false}, {{"Authorization", "Bearer anything"}}, 200},
        {{"", true}, {}, 403},
        {{"", true}, {{"Authorization", "Bearer " + key}}, 403},
        {{hash, false}, {}, 401},
        {{hash, false}, {{"Authorization", "Bearer " + key}}, 200},
        {{hash, true}, {{"authorization", "bearer " + key}}, 200},
        {{hash, true}, {{"Authorization", "Bearer " + key + "x"}}, 401},
        {{hash, true}, {{"Authorization", key}}, 401},
        {{hash, true}, {{"Authorization", "Basic " + key}}, 401},
        {{hash, true}, {{"Authorization", "Bearer "}}, 401},
    };
    for (const auto& [access, fields, status] : cases) {
      Running running(access);
      const auto answer = running.client().get("/private", fields);
      CHECK(answer.status == status);
      CHECK(answer.has("WWW-Authenticate") == (status == 401));
      CHECK(answer.body.find(key) == std::string::npos);
      CHECK(running.client().get("/healthz").status == 200);
      CHECK(running.client().get("/readyz").status == 200);
    }
  }

  TEST_CASE("without a key a name that is not this machine's is refused: DNS rebinding") {
    Running running({});
    for (const auto& [host, status] : {std::pair{"evil.example", 403},
                                       {"evil.example:9901", 403},
                                       {"1.2.3.4.evil", 403},
                                       {"localhost", 200},
                                       {"a.localhost:1", 200},
                                       {"192.0.2.7:9901", 200},
                                       {"[::1]", 200}}) {
      CAPTURE(host);
      CHECK(running.client().get("/private", {{"Host", host}}).status == status);
      CHECK(running.client().get("/healthz", {{"Host", host}}).status == 200);
    }
    Running with_key({gateway::access::hash_key("k"), false});
    CHECK(with_key.client().get("/private", {{"Host", "gw.example"}, {"Authorization", "Bearer k"}}).status == 200);
  }

  TEST_CASE("a purge is told as asked, and its failure is a problem") {
    Running running({});
    const auto send = [&](const std::string& body, test_support::HttpFields fields = {}) {
      return running.client().send(
          {.method = "POST", .target = "/cache/purge", .fields = std::move(fields), .body = body});
    };
    CHECK(send(R"({"keys":["contact:1","contact:2"]})").body == "{\"purged\":3}\n");
    CHECK(running.purge.keys == std::vector<std::string>{"contact:1", "contact:2"});
    CHECK(send(R"({"location":"L1"})").status == 200);
    CHECK(running.purge.location == "L1");
    CHECK(running.purge.keys.empty());
    CHECK(send(R"({"all":true})").status == 200);
    CHECK(running.purge.all);
    running.result = {.done = false, .entries = 0, .why = "Redis does not answer"};
    const auto failed = send(R"({"all":true})");
    CHECK(failed.status == 503);
    CHECK(Json(failed.body).text("detail") == "Redis does not answer");
  }

  TEST_CASE("a body that names nothing to purge, or two things, is refused and nothing is purged") {
    for (const char* body :
         {"", "{}", "[]", "null", "{\"all\":false}", "{\"all\":1}", "{\"keys\":[]}", "{\"keys\":[5]}",
          "{\"keys\":[\"\"]}", "{\"keys\":\"contact:1\"}", "{\"location\":\"\"}", "{\"location\":5}",
          "{\"all\":true,\"location\":\"L\"}", "{\"every\":true}", "{\"all\":true", "{\"all\":true}}"}) {
      Running running({});
      const auto answer = running.client().send({.method = "POST", .target = "/cache/purge", .body = body});
      CHECK_MESSAGE(answer.status == 400, body);
      CHECK_FALSE(running.purge.all);
    }
  }

  TEST_CASE("another site's page cannot make a browser purge the cache") {
    Running running({});
    const auto post = [&](const std::string& origin) {
      return running.client()
          .send({.method = "POST", .target = "/cache/purge", .fields = {{"Origin", origin}}, .body = R"({"all":true})"})
          .status;
    };
    CHECK(post("https://evil.example") == 403);
    CHECK(post("null") == 403);
    CHECK_FALSE(running.purge.all);
    CHECK(post("http://" + running.client().address()) == 200);
  }

  TEST_CASE("operations and events are told as JSON and as a table, every one of the catalogue") {
    const auto& catalogue = policies::Catalogue::builtin();
    const auto& triggers = policies::Triggers::builtin();
    const auto& own = policies::Catalogue::own();
    const Json json(admin::operations_json(catalogue, own, triggers));
    const auto table = admin::operations_table(catalogue, own, triggers);
    REQUIRE(json.size("own") == own.operations().size());
    for (const auto& path : own.operations()) CHECK(table.find("\n" + path.name + " ") != std::string::npos);
    REQUIRE(json.size("triggers") == triggers.all().size());
    for (std::size_t i = 0; i < triggers.all().size(); ++i) {
      const std::string at = "triggers." + std::to_string(i);
      CHECK(json.text(at + ".name") == triggers.all()[i].name);
      CHECK(json.size(at + ".keys") == triggers.all()[i].keys.size());
      CHECK(table.find("\n" + triggers.all()[i].name + " ") != std::string::npos);
    }
    REQUIRE(json.size("operations") == catalogue.operations().size());
    for (std::size_t i = 0; i < catalogue.operations().size(); ++i) {
      const std::string at = "operations." + std::to_string(i);
      CHECK(json.text(at + ".name") == catalogue.operations()[i].name);
      CHECK(json.text(at + ".method") == catalogue.operations()[i].method);
      CHECK(json.integer(at + ".fresh_ms") == catalogue.operations()[i].times.fresh.count());
      CHECK(table.find("\n" + catalogue.operations()[i].name + " ") != std::string::npos);
    }
  }
}
