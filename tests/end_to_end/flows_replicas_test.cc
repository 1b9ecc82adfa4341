// Runs that pass from one replica to another while the first still lives, and one that brings down whoever takes it.
#include <csignal>

#include "tests/end_to_end/flows_world.h"

using namespace flows_world;

TEST_SUITE("flows replicas") {
  TEST_CASE("a replica stopped in the midst of runs is stood in for, and does nothing twice when it goes on") {
    constexpr int kLeads = 30;
    World world(lead_flows(), {.simulator = {"--latency", "50ms-150ms"}});
    for (int i = 0; i < kLeads; ++i) CHECK(world.lead(lead_of(i), "lead-" + std::to_string(i)).status == 202);
    const auto tasks = [&] {
      std::size_t all = 0;
      for (const auto& [email, titles] : world.book().tasks) all += titles.size();
      return all;
    };
    REQUIRE(eventually(kLong, [&] { return tasks() >= 3; }));
    world.gateway(0).process().signal(SIGSTOP);
    CHECK(tasks() < 2 * kLeads);
    world.start(1);
    REQUIRE(eventually(kLong, [&] { return world.idle(1) && tasks() == 2 * kLeads; }));
    world.gateway(0).process().signal(SIGCONT);
    // What it was in the midst of comes before what it takes now.
    for (int i = kLeads; i < kLeads + 4; ++i)
      CHECK(world.lead(lead_of(i), "lead-" + std::to_string(i), "web", 0).status == 202);
    REQUIRE(eventually(kLong, [&] { return world.idle(0) && tasks() >= 2 * (kLeads + 4); }));
    auto book = world.book();
    CHECK(book.total == kLeads + 4);
    for (int i = 0; i < kLeads + 4; ++i) {
      CAPTURE(i);
      CHECK(book.contacts[email_of(i)] == 1);
      CHECK(book.tasks[email_of(i)] ==
            std::multiset<std::string>{"Call Lead Number " + std::to_string(i), "Follow up"});
    }
    CHECK(world.flows(1).integer("dead") == 0);
  }

  TEST_CASE("a run that 25 replicas did not end goes to the dead letters, and is made again once somebody says so") {
    const std::string point = "flow-step-answered:1";
    World world(lead_flows(), {.fault_point = point});
    const auto run = Json(world.lead(lead_of(1), "once").body).text("runs.0.run");
    const auto fields = [&](const std::string& field) {
      return world.redis().command({"HGET", "cg:flows:run:" + run, field});
    };
    const auto died = [&] { return world.gateway().process().wait_for_exit(kLong) == 128 + SIGKILL; };
    // As if it had been idle for long, so that the next replica claims it at once.
    const auto age = [&] {
      const auto pending = world.redis().command({"XPENDING", "cg:flows:queue", "flows", "-", "+", "1"});
      const auto dash = pending.find('-');
      REQUIRE(dash != std::string::npos);
      const auto begin = pending.rfind('\n', dash) + 1;
      const auto entry = pending.substr(begin, pending.find('\r', dash) - begin);
      world.redis().command({"XCLAIM", "cg:flows:queue", "flows", "gone", "0", entry, "IDLE", "60000", "JUSTID"});
    };
    REQUIRE(died());
    world.redis().command({"HSET", "cg:flows:run:" + run, "claims", "24"});
    age();
    world.start(0, point);  // the 25th: it may try
    REQUIRE(died());
    CHECK(fields("claims").find("25") != std::string::npos);
    age();
    world.start(0);
    REQUIRE(eventually(kLong, [&] { return world.flows().integer("dead") == 1; }));
    CHECK(world.flows().text("letters.0.run") == run);
    CHECK(world.flows().text("letters.0.reason") == "25 replicas did not end it");
    CHECK(world.book().tasks[email_of(1)].empty());
    CHECK(world.admin("/flows/retry", R"({"all":true})").status == 200);
    check_once(world, 1);
  }
}
