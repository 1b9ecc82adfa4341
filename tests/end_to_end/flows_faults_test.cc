// A replica that dies with SIGKILL between a step's effect and its note, or an upstream that applies a step and loses
// the answer: each effect is in the upstream's books once all the same.
#include <csignal>

#include "tests/end_to_end/flows_world.h"

using namespace flows_world;

namespace {

void check_once(World& world, int lead) {
  const auto email = email_of(lead);
  REQUIRE(eventually(kLong, [&] { return world.idle() && world.book().contacts.contains(email); }));
  auto book = world.book();
  CHECK(book.total == 1);
  CHECK(book.contacts[email] == 1);
  CHECK(book.tasks[email] == std::multiset<std::string>{"Call Lead Number " + std::to_string(lead), "Follow up"});
  CHECK(world.flows().integer("dead") == 0);
}

}  // namespace

TEST_SUITE("flows faults") {
  TEST_CASE("a replica killed at any point of a run leaves nothing undone and nothing done twice") {
    const std::vector<std::string> points{
        "lead-kept",         "flow-step-answered:1", "flow-step-noted:1", "flow-step-answered:2",
        "flow-step-noted:2", "flow-step-answered:3", "flow-step-noted:3"};
    std::vector<std::unique_ptr<World>> worlds;
    for (const auto& point : points)
      worlds.push_back(std::make_unique<World>(lead_flows(), World::Options{.fault_point = point}));
    for (std::size_t i = 0; i < worlds.size(); ++i) {
      try {
        worlds[i]->lead(lead_of(static_cast<int>(i)), "once");
      } catch (const HttpError&) {  // it died before its answer
      }
    }
    for (auto& world : worlds) {
      REQUIRE(world->gateway().process().wait_for_exit(kLong) == 128 + SIGKILL);
      world->start(0);
    }
    for (std::size_t i = 0; i < worlds.size(); ++i) {
      CAPTURE(points[i]);
      CHECK(Json(worlds[i]->lead(lead_of(static_cast<int>(i)), "once").body).boolean("repeated"));
    }
    for (std::size_t i = 0; i < worlds.size(); ++i) {
      CAPTURE(points[i]);
      check_once(*worlds[i], static_cast<int>(i));
    }
  }

  TEST_CASE("a step that the upstream applied, but whose answer was lost or was an error, is not applied twice") {
    const std::vector<std::string> faults{"reset-after", "status=503;applied", "hang"};
    std::vector<std::unique_ptr<World>> worlds;
    for (const auto& fault : faults) {
      worlds.push_back(std::make_unique<World>(lead_flows()));
      worlds.back()->control("faults", R"({"match":{"method":"POST","path_prefix":"/contacts"},"fault":)" +
                                           json_string(fault) + R"(,"count":3})");
    }
    for (auto& world : worlds) CHECK(world->lead(lead_of(1), "once").status == 202);
    for (std::size_t i = 0; i < worlds.size(); ++i) {
      CAPTURE(faults[i]);
      check_once(*worlds[i], 1);
    }
  }
}
