// An upstream that applies a step and loses the answer: each effect is in its books once all the same.
#include "tests/end_to_end/flows_world.h"

using namespace flows_world;

TEST_SUITE("flows lost answers") {
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
