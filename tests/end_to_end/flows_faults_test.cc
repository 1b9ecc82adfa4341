// A replica that dies with SIGKILL between a step's effect and its note: each effect is in the upstream's books once
// all the same.
#include <csignal>

#include "tests/end_to_end/flows_world.h"

using namespace flows_world;

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
}
