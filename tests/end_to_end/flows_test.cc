// Leads and flows against the real thing: what starts runs, what they do upstream, what becomes of those that cannot.
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
}
