// An upstream that applies a step and loses the answer: each effect is in its books once all the same.
#include "tests/end_to_end/flows_world.h"

using namespace flows_world;

TEST_SUITE("flows lost answers") {
  TEST_CASE("a step that the upstream applied, but whose answer was lost or was an error, is not applied twice") {
    struct Fault {
      std::string name, where;  // of the tasks of one contact, or of every POST, the upsert first
    };
    const std::vector<Fault> faults{{"reset-after", "tasks"},
                                    {"status=503;applied", "tasks"},
                                    {"hang", "tasks"},
                                    {"reset-after", "all"},
                                    {"status=503;applied", "all"}};
    std::vector<std::unique_ptr<World>> worlds;
    for (std::size_t i = 0; i < faults.size(); ++i) {
      worlds.push_back(std::make_unique<World>(lead_flows()));
      CHECK(worlds.back()->lead(lead_of(1), "first").status == 202);
    }
    for (std::size_t i = 0; i < faults.size(); ++i) {
      check_once(*worlds[i], 1);
      const auto contact = Json(worlds[i]->upstream().get("/_simulator/contacts").body).text("contacts.0.id");
      const auto prefix = faults[i].where == "all" ? "/contacts/" : "/contacts/" + contact + "/tasks";
      worlds[i]->control("faults", R"({"match":{"method":"POST","path_prefix":")" + prefix + R"("},"fault":)" +
                                       json_string(faults[i].name) + R"(,"count":3})");
    }
    // The same person once more: the same contact, and two more tasks.
    for (auto& world : worlds) CHECK(world->lead(lead_of(1), "second").status == 202);
    for (std::size_t i = 0; i < faults.size(); ++i) {
      CAPTURE(faults[i].name);
      CAPTURE(faults[i].where);
      REQUIRE(eventually(kLong, [&] { return worlds[i]->idle() && worlds[i]->book().tasks[email_of(1)].size() >= 4; }));
      auto book = worlds[i]->book();
      CHECK(book.total == 1);
      CHECK(book.tasks[email_of(1)] ==
            std::multiset<std::string>{"Call Lead Number 1", "Call Lead Number 1", "Follow up", "Follow up"});
      CHECK(worlds[i]->flows().integer("dead") == 0);
    }
  }

  TEST_CASE("a contact whose creation was applied and whose answer was lost is found by its e-mail, and made once") {
    World world({{"made.json", R"({"name": "made", "on": {"lead": "*"}, "do": [
      {"step": "contact", "operation": "create-contact",
       "body": {"locationId": {"$from": "event.to"}, "email": {"$from": "event.email"}}}]})"}});
    world.control("faults",
                  R"({"match":{"method":"POST","path_prefix":"/contacts/"},"fault":"reset-after","count":1})");
    CHECK(world.lead(R"({"to":"loc_demo","email":"ada@example.com"})").status == 202);
    REQUIRE(
        eventually(kLong, [&] { return world.metric("gateway_flow_runs_total{flow=\"made\",result=\"done\"}") == 1; }));
    CHECK(world.book().contacts["ada@example.com"] == 1);
    CHECK(world.flows().integer("dead") == 0);
  }
}
