// What starts flows and what does not: leads that are refused, the clock, files that are broken.
#include <csignal>

#include "tests/end_to_end/flows_world.h"

using namespace flows_world;

TEST_SUITE("flows starts") {
  TEST_CASE(
      "leads that are none, too large, from nobody or to nowhere are refused, and one without a Redis is not "
      "acknowledged") {
    const std::string key = "a-client-of-the-tests";
    World world(lead_flows());
    const auto list = world.lead("[1]");
    CHECK(list.status == 400);
    CHECK(Json(list.body).text("detail").starts_with("The body is a list; expected one object like"));
    const auto cut = world.lead("{\"a\":");
    CHECK(cut.status == 400);
    CHECK(Json(cut.body).text("detail").find("; expected one object like") != std::string::npos);
    CHECK(world.lead("{}", "key with \x01").status == 400);
    CHECK(world.lead(R"({"x":")" + std::string(1 << 20, 'x') + R"("})").status == 413);
    CHECK(world.lead("{}", "", "a%20b").status == 404);
    CHECK(HttpClient(world.address()).get("/gateway/leads/web").status == 405);
    // Nothing to do for it: taken, and no run.
    const auto empty = world.lead(R"({"note":"neither e-mail nor phone"})");
    CHECK(empty.status == 202);
    CHECK(Json(empty.body).size("runs") == 0);

    const auto ready = [&] { return HttpClient(world.gateway().admin_address()).get("/readyz"); };
    CHECK(eventually(kLong, [&] { return ready().body.find("keeps no append-only file") != std::string::npos; }));
    CHECK(ready().status == 200);

    world.redis().kill();
    CHECK(eventually(kLong, [&] { return ready().body.find("events are refused") != std::string::npos; }));
    const auto refused = world.lead(lead_of(1), "once");
    CHECK(refused.status == 503);
    CHECK(refused.field("Retry-After") == "1");
    world.redis().start();
    REQUIRE(eventually(kLong, [&] { return world.lead(lead_of(1), "once").status == 202; }));
    REQUIRE(eventually(kLong, [&] { return world.book().contacts[email_of(1)] == 1; }));
  }

  TEST_CASE("a lead's Idempotency-Key is known also where the lead starts no run") {
    World world(lead_flows());
    const std::string nothing = R"({"note":"neither e-mail nor phone"})";
    const auto first = world.lead(nothing, "k1");
    CHECK(first.status == 202);
    CHECK(Json(first.body).boolean("repeated") == false);
    const auto again = world.lead(nothing, "k1");
    CHECK(again.status == 202);
    CHECK(Json(again.body).boolean("repeated"));
    CHECK(world.lead(lead_of(1), "k1").status == 422);
    CHECK(world.lead(lead_of(2), "k2").status == 202);
    CHECK(world.lead(nothing, "k2").status == 422);
    REQUIRE(eventually(kLong, [&] { return world.book().contacts[email_of(2)] == 1; }));
    CHECK(world.book().contacts.count(email_of(1)) == 0);
  }

  TEST_CASE("without a flow that listens the path is not there") {
    World world({{"stage-changed.json", shipped("stage-changed.json")}});
    CHECK(world.lead(lead_of(1)).status == 404);
    SimulatorProcess simulator;
    GatewayProcess plain({.upstream = simulator.url()});
    CHECK(HttpClient(plain.address()).send({.method = "POST", .target = "/gateway/leads/web", .body = "{}"}).status ==
          404);
  }

  TEST_CASE("a flow by the clock runs once a slot over all replicas, for each element of a list") {
    const std::string tidy = R"({
      "name": "tidy", "on": { "every": "31d" },
      "do": [
        { "step": "list", "operation": "get-contacts", "query": { "locationId": "loc_demo", "limit": 100 } },
        { "step": "tag", "operation": "add-tags", "each": "steps.list.contacts",
          "when": { "not": { "field": "item.tags", "contains": "seen" } },
          "path": { "contactId": { "$from": "item.id" } }, "body": { "tags": ["seen"] } },
        { "step": "note", "operation": "create-note", "each": "steps.list.contacts",
          "path": { "contactId": { "$from": "item.id" } }, "body": { "body": { "$from": "event.slot" } } }
      ] })";
    World world({{"tidy.json", tidy}}, {.replicas = 3, .simulator = {"--contacts", "5"}});
    // Each replica has seen the flow; then the last slot is put into the past.
    REQUIRE(eventually(kLong, [&] { return world.redis().command({"HGET", "cg:flows:every", "tidy"}) != "$-1\r\n"; }));
    for (std::size_t i = 0; i < 3; ++i) world.gateway(i).process().signal(SIGTERM);
    for (std::size_t i = 0; i < 3; ++i) CHECK(world.gateway(i).process().wait_for_exit(kLong) == 0);
    world.redis().command({"HSET", "cg:flows:every", "tidy", "1"});
    for (std::size_t i = 0; i < 3; ++i) world.start(i);
    const auto done = [&] {
      double all = 0;
      for (std::size_t i = 0; i < 3; ++i)
        all += world.metric("gateway_flow_runs_total{flow=\"tidy\",result=\"done\"}", i);
      return all;
    };
    REQUIRE(eventually(kLong, [&] { return done() == 1; }));
    const Json contacts(world.upstream().get("/_simulator/contacts").body);
    for (std::size_t i = 0; i < 5; ++i) {
      const auto at = "contacts." + std::to_string(i);
      CHECK(contacts.text(at + ".tags." + std::to_string(contacts.size(at + ".tags") - 1)) == "seen");
      CHECK(contacts.size(at + ".notes") == 2);  // the seeded one and this one
    }
    CHECK(world.flows().integer("dead") == 0);
  }

  TEST_CASE("a broken flow stops the start with its file, line and field; so do flows without Redis, and no flows") {
    TempDir folder;
    const auto said = [&](const std::string& path, const std::string& redis = "redis://127.0.0.1:1") {
      std::vector<std::string> environment{"GATEWAY_CREDENTIALS_TOKEN=pit-test", "GATEWAY_FLOWS_PATH=" + path};
      if (!redis.empty()) environment.push_back("GATEWAY_REDIS_URL=" + redis);
      Process process({.arguments = {binary_dir() + "/contacts-gateway", "serve", "--listen=127.0.0.1:0",
                                     "--admin.listen=127.0.0.1:0"},
                       .environment = environment,
                       .unset_prefix = "GATEWAY_"});
      const auto code = process.wait_for_exit(kLong);
      return std::to_string(code.value_or(-1)) + " " + process.output(Stream::Error);
    };
    const std::string path = folder.path().string();
    CHECK(said(path).find("flows.path: no flow (*.json) in " + path) != std::string::npos);
    const auto file = folder.write("lead.json", with(shipped("lead-created.json"), "\"$phone\"", "\"$fone\""));
    const auto wrong = said(path);
    CHECK(wrong.starts_with("2 "));
    CHECK(wrong.find(file + ":19: do[0].body.phone: unknown rule '$fone'") != std::string::npos);
    folder.write("lead.json", shipped("lead-created.json"));
    folder.write("again.json", shipped("lead-created.json"));
    CHECK(said(path).find("has a flow called 'lead-created' too") != std::string::npos);
    CHECK(said(path, "").find("flows.path: flows need redis.url: events and the progress of runs are kept there") !=
          std::string::npos);
    CHECK(said("/does/not/exist").find("/does/not/exist") != std::string::npos);
  }
}
