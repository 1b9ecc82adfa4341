// Leads and flows against the real thing: what starts runs, what they do upstream, what becomes of those that cannot.
#include <csignal>

#include "tests/end_to_end/flows_world.h"

using namespace flows_world;

TEST_SUITE("flows") {
  TEST_CASE("a lead becomes a contact with mapped fields and its first tasks, and a changed one changes it") {
    World world(lead_flows());
    const auto taken = world.lead(lead_of(1), "first");
    CHECK_MESSAGE(taken.status == 202, world.gateway().process().output(Stream::Error));
    CHECK(Json(taken.body).size("runs") == 1);
    REQUIRE(eventually(kLong, [&] { return world.book().tasks[email_of(1)].size() == 2; }));
    auto book = world.book();
    CHECK(book.total == 1);
    CHECK(book.phones[email_of(1)] == phone_of(1));
    CHECK(book.tags[email_of(1)] == std::multiset<std::string>{"lead", "hot"});
    CHECK(book.tasks[email_of(1)] == std::multiset<std::string>{"Call Lead Number 1", "Follow up"});

    // The same lead again is known; another one under its key is refused.
    CHECK(Json(world.lead(lead_of(1), "first").body).boolean("repeated"));
    CHECK(Json(world.lead(lead_of(1), "first").body).text("event") == Json(taken.body).text("event"));
    CHECK(world.lead(lead_of(2), "first").status == 422);

    CHECK(world.lead(R"({"to":"loc_demo","type":"updated","email":"lead1@example.com","phone":"+49 30 1234567"})")
              .status == 202);
    REQUIRE(eventually(kLong, [&] { return world.book().phones[email_of(1)] == "+49301234567"; }));
    REQUIRE(eventually(kLong, [&] { return world.idle(); }));
    book = world.book();
    CHECK(book.total == 1);
    CHECK(book.tasks[email_of(1)].size() == 2);
    CHECK(world.metric("gateway_flow_runs_total{flow=\"lead-created\",result=\"done\"}") == 1);
    CHECK(world.metric("gateway_flow_runs_total{flow=\"lead-updated\",result=\"done\"}") == 1);
  }

  TEST_CASE("a stage that changes shows in its contact, and a note or task is written in the other location too") {
    auto stage = with(shipped("stage-changed.json"), "custom-field-stage", "cf_stage");
    World world({{"stage-changed.json", stage},
                 {"note-pushed.json", shipped("note-pushed.json")},
                 {"task-pushed.json", shipped("task-pushed.json")}},
                {.simulator = {"--location", "loc_a", "--location", "loc_b"}});
    world.control("webhooks", R"({"url":"http://)" + world.address() + R"(/webhooks/leadconnector"})");
    const auto post = [&](const std::string& target, const std::string& body) {
      const auto answer = world.upstream().send({.method = "POST",
                                                 .target = target,
                                                 .fields = {{"Authorization", "Bearer simulator-token"},
                                                            {"Version", "2021-07-28"},
                                                            {"Content-Type", "application/json"}},
                                                 .body = body});
      REQUIRE_MESSAGE(answer.status == 201, answer.body);
      return answer.body;
    };
    const auto id = Json(post("/contacts/", R"({"locationId":"loc_a","firstName":"Ada","email":"ada@example.com"})"))
                        .text("contact.id");
    post("/contacts/" + id + "/notes", R"({"body":"She called back."})");
    post("/contacts/" + id + "/tasks",
         R"({"title":"Send offer","body":"By mail","dueDate":"2026-12-01T10:00:00Z","completed":false})");
    REQUIRE(eventually(kLong, [&] {
      auto there = world.book("loc_b");
      return there.tasks["ada@example.com"].size() == 1 && !there.notes["ada@example.com"].empty();
    }));
    auto there = world.book("loc_b");
    CHECK(there.total == 1);
    CHECK(there.tasks["ada@example.com"] == std::multiset<std::string>{"Send offer"});
    CHECK(there.notes["ada@example.com"].starts_with("She called back.\n\nref cg-"));

    const auto move_to = [&](const std::string& stage_id) {
      world.control("webhooks/send",
                    R"({"event":{"type":"OpportunityStageUpdate","locationId":"loc_a","id":"o1","contactId":")" + id +
                        R"(","pipelineStageId":")" + stage_id + R"("}})");
    };
    using Tags = std::multiset<std::string>;
    move_to("stage-new");
    REQUIRE(eventually(kLong, [&] { return world.book("loc_a").tags["ada@example.com"] == Tags{"stage new"}; }));
    move_to("stage-won");
    REQUIRE(eventually(kLong, [&] {
      return world.book("loc_a").tags["ada@example.com"] == Tags{"stage won", "customer"};
    }));
    REQUIRE(eventually(kLong, [&] {
      return world.upstream().get("/_simulator/contacts?locationId=loc_a").body.find("\"Won\"") != std::string::npos;
    }));
    move_to("stage-of-somebody-else");
    REQUIRE(eventually(
        kLong, [&] { return world.metric("gateway_flow_runs_total{flow=\"stage-changed\",result=\"done\"}") == 3; }));
    CHECK(world.book("loc_a").tags["ada@example.com"] == Tags{"stage won", "customer"});
    CHECK(world.book("loc_b").notes["ada@example.com"].find('|') + 1 ==
          world.book("loc_b").notes["ada@example.com"].size());
    CHECK(world.flows().integer("dead") == 0);
  }

  TEST_CASE("a run that cannot go on is a dead letter without the value, and retry goes on where it stopped") {
    World world(lead_flows());
    const auto cli = [&](const std::vector<std::string>& words) {
      std::vector<std::string> arguments{binary_dir() + "/contacts-gateway", "flows"};
      arguments.insert(arguments.end(), words.begin(), words.end());
      arguments.push_back("--admin.listen=" + world.gateway().admin_address());
      Process process({.arguments = arguments, .unset_prefix = "GATEWAY_"});
      const auto code = process.wait_for_exit(kLong);
      return std::to_string(code.value_or(-1)) + " " + process.output(Stream::Out) + process.output(Stream::Error);
    };
    CHECK(world.lead(R"({"to":"loc_demo","email":"ada@example.com","phone":"call me on 007"})").status == 202);
    REQUIRE(eventually(kLong, [&] { return world.flows().integer("dead") == 1; }));
    const auto wrong_value = world.flows();
    CHECK(wrong_value.text("letters.0.flow") == "lead-created");
    CHECK(wrong_value.text("letters.0.step") == "contact");
    CHECK(wrong_value.text("letters.0.field") == "body.phone");
    CHECK(wrong_value.text("letters.0.reason").starts_with("is no phone number"));
    const auto dropped = wrong_value.text("letters.0.run");
    CHECK(cli({"show", dropped}).find("call me on 007") != std::string::npos);
    CHECK(cli({"list"}).find("body.phone is no phone number") != std::string::npos);
    CHECK(cli({"list"}).find("call me") == std::string::npos);
    CHECK(cli({"drop", dropped}) == "0 {\"dropped\":1}\n");
    CHECK(cli({"drop", dropped}).starts_with("1 "));
    CHECK(cli({"retry", "--all", dropped}).starts_with("2 "));
    CHECK(cli({"show", "not-a-run!"}).starts_with("2 "));

    // Upstream refuses the first task until its cause is mended; the contact is not made again.
    world.control("faults", R"({"match":{"method":"POST","path_prefix":"/contacts/"},"fault":"status=422"})");
    CHECK(world.lead(lead_of(2), "second").status == 202);
    REQUIRE(eventually(kLong, [&] { return world.flows().integer("dead") == 1; }));
    CHECK(world.flows().text("letters.0.reason") == "upstream answered 422");
    world.control("faults", "", "DELETE");
    CHECK(cli({"retry", "--all"}) == "0 {\"retried\":1}\n");
    REQUIRE(eventually(kLong, [&] { return world.book().tasks[email_of(2)].size() == 2; }));
    REQUIRE(eventually(kLong, [&] { return world.idle(); }));
    CHECK(world.book().total == 1);
    CHECK(world.flows().integer("dead") == 0);
    CHECK(eventually(kLong, [&] { return world.metric("gateway_flow_dead_letters") == 0; }));
    CHECK(world.gateway().process().output(Stream::Error).find("call me on") == std::string::npos);
    CHECK(world.gateway().process().output(Stream::Error).find("example.com") == std::string::npos);
  }

  TEST_CASE("changes of one lead are made in the order they came in, whichever replica takes them") {
    World world(lead_flows(), {.replicas = 2, .simulator = {"--latency", "0ms-20ms"}});
    CHECK(world.lead(lead_of(1), "create").status == 202);
    for (int change = 1; change <= 20; ++change)
      CHECK(world
                .lead(R"({"to":"loc_demo","type":"updated","email":" LEAD1@example.com","companyName":"c)" +
                          std::to_string(change) + "\"}",
                      "change-" + std::to_string(change), "web", static_cast<std::size_t>(change % 2))
                .status == 202);
    REQUIRE(eventually(kLong, [&] { return world.idle() && world.book().tasks[email_of(1)].size() == 2; }));
    REQUIRE(eventually(kLong, [&] {
      return world.metric("gateway_flow_runs_total{flow=\"lead-updated\",result=\"done\"}", 0) +
                 world.metric("gateway_flow_runs_total{flow=\"lead-updated\",result=\"done\"}", 1) ==
             20;
    }));
    CHECK(world.upstream().get("/_simulator/contacts").body.find("\"companyName\":\"c20\"") != std::string::npos);
    CHECK(world.book().total == 1);
  }
}
