// What flows keep in Redis, against a real one: every change is one step, and only an entry's owner makes it.
#include "gateway/flows/store.h"

#include "gateway/flows/known.h"
#include "gateway/flows/lease.h"
#include "tests/gateway/redis/harness.h"

using namespace redis_test;
using namespace gateway::flows;

namespace {

// Two replicas on one Redis.
struct Rig {
  Rig() {
    for (auto* each : {&client, &reader}) {
      each->emplace(io, redis_test::options(server.url()));
      (*each)->start();
    }
    a.emplace(*client, *reader, "a", 20ms);
    b.emplace(*client, *reader, "b", 20ms);
    run(io, [this]() -> asio::awaitable<void> {
      REQUIRE(co_await client->connected(10s));
      REQUIRE(co_await reader->connected(10s));
      co_await a->take(1);  // makes the group
    });
  }
  ~Rig() { client->stop(), reader->stop(); }

  asio::awaitable<Enqueued> put(std::string event, std::string fingerprint = "f", std::string order = "") {
    Event given{event, "lead", "", "web", "L1", policies::WallMillis(1'000), "{\"a\":1}"};
    std::vector<NewRun> runs{{run_id(event, "flow"), "flow", std::move(order)}};
    co_return co_await a->enqueue(std::move(given), std::move(runs), std::move(fingerprint));
  }
  asio::awaitable<Taken> one(Store& store) {
    auto taken = co_await store.take(1);
    REQUIRE(taken);
    REQUIRE(taken->size() == 1);
    co_return taken->front();
  }
  asio::awaitable<std::size_t> waiting(Store& store) {
    auto taken = co_await store.take(100);
    REQUIRE(taken);
    co_return taken->size();
  }
  std::string state(const std::string& event) {
    return server.command({"HGET", "cg:flows:run:" + run_id(event, "flow"), "state"});
  }

  RedisServer server;
  asio::io_context io;
  std::optional<Client> client, reader;
  std::optional<Store> a, b;
};

}  // namespace

TEST_SUITE("flows store") {
  TEST_CASE("an event is taken once, and another one under its id is told apart") {
    Rig rig;
    run(rig.io, [&]() -> asio::awaitable<void> {
      CHECK(co_await rig.put("e1") == Enqueued::New);
      CHECK(co_await rig.put("e1") == Enqueued::Before);
      CHECK(co_await rig.put("e1", "other") == Enqueued::Different);
      const auto taken = co_await rig.one(*rig.b);
      CHECK(co_await rig.waiting(*rig.a) == 0);
      const auto loaded = co_await rig.b->load(taken.run);
      const auto& run = std::get<Run>(loaded);
      CHECK(run.flow == "flow");
      CHECK(run.event.id == "e1");
      CHECK(run.event.body == "{\"a\":1}");
      CHECK(run.event.location == "L1");
      CHECK(run.event.at == policies::WallMillis(1'000));
      CHECK(co_await rig.b->finish(taken) == Kept::Yes);
      CHECK(std::get<Kept>(co_await rig.b->load(taken.run)) == Kept::Lost);
      CHECK(co_await rig.put("e1") == Enqueued::Before);  // done, and still known
    });
    CHECK(rig.server.command({"KEYS", "cg:flows:run:*"}) == "*0\r\n");
  }

  TEST_CASE("only the owner of an entry notes, parks, buries and finishes; who claims it goes on from what is noted") {
    Rig rig;
    run(rig.io, [&]() -> asio::awaitable<void> {
      co_await rig.put("e1");
      const auto taken = co_await rig.one(*rig.a);
      CHECK(co_await rig.b->note(taken, "s", "x") == Kept::Lost);
      CHECK(co_await rig.b->finish(taken) == Kept::Lost);
      CHECK(co_await rig.b->park(taken, {}) == Kept::Lost);
      CHECK(co_await rig.b->bury(taken, {}) == Kept::Lost);
      CHECK(co_await rig.a->note(taken, "s", "{\"id\":1}") == Kept::Yes);
      CHECK((co_await rig.b->claim(10, std::chrono::minutes(1))).empty());
      const auto claimed = co_await rig.b->claim(10, std::chrono::milliseconds(0));
      REQUIRE(claimed.size() == 1);
      CHECK(claimed[0].entry == taken.entry);
      CHECK(co_await rig.a->note(taken, "s", "y") == Kept::Lost);
      const std::vector<std::string> entry{taken.entry};
      const auto kept_by_a = co_await rig.a->renew(entry), kept_by_b = co_await rig.b->renew(entry);
      CHECK(*kept_by_a == std::vector<bool>{false});
      CHECK(*kept_by_b == std::vector<bool>{true});
      const auto run = std::get<Run>(co_await rig.b->load(taken.run));
      CHECK(run.steps.at("s") == "{\"id\":1}");
      co_await rig.b->release(entry);
      CHECK((co_await rig.a->claim(10, std::chrono::minutes(30))).size() == 1);
    });
  }

  TEST_CASE("a parked run comes back when it is due, with what is to be known of its step") {
    Rig rig;
    run(rig.io, [&]() -> asio::awaitable<void> {
      co_await rig.put("e1");
      auto taken = co_await rig.one(*rig.a);
      co_await rig.a->note(taken, "s", "?");
      CHECK(co_await rig.a->park(taken, {std::chrono::hours(1), true, "s", "!", "in doubt"}) == Kept::Yes);
      co_await rig.a->wake();
      CHECK(co_await rig.waiting(*rig.a) == 0);
      rig.server.command({"ZADD", "cg:flows:due", "1", taken.run});
      co_await rig.b->wake();
      taken = co_await rig.one(*rig.b);
      auto run = std::get<Run>(co_await rig.b->load(taken.run));
      CHECK(run.tries == 1);
      CHECK(run.steps.at("s") == "!");
      // Surely not applied: nothing is known of the step any more.
      co_await rig.b->note(taken, "s", "?");
      CHECK(co_await rig.b->park(taken, {std::chrono::milliseconds(0), false, "s", "", "429"}) == Kept::Yes);
      co_await rig.b->wake();
      taken = co_await rig.one(*rig.b);
      run = std::get<Run>(co_await rig.b->load(taken.run));
      CHECK(run.tries == 1);
      CHECK(run.steps.empty());
    });
  }

  TEST_CASE("runs of one order go one after another, and one that is buried lets the next go") {
    Rig rig;
    run(rig.io, [&]() -> asio::awaitable<void> {
      for (const auto* event : {"e1", "e2", "e3"}) co_await rig.put(event, "f", "order");
      auto taken = co_await rig.one(*rig.a);
      CHECK(taken.run == run_id("e1", "flow"));
      CHECK(co_await rig.waiting(*rig.a) == 0);
      co_await rig.a->park(taken, {std::chrono::milliseconds(0), true, "", "", ""});
      CHECK(co_await rig.waiting(*rig.a) == 0);  // parked, it is still the first
      co_await rig.a->wake();
      taken = co_await rig.one(*rig.a);
      CHECK(taken.run == run_id("e1", "flow"));
      co_await rig.a->bury(taken, {"s", "body.x", "is wrong", ""});
      taken = co_await rig.one(*rig.b);
      CHECK(taken.run == run_id("e2", "flow"));
      co_await rig.b->finish(taken);
      taken = co_await rig.one(*rig.b);
      CHECK(taken.run == run_id("e3", "flow"));
      co_await rig.b->finish(taken);
    });
    CHECK(rig.server.command({"EXISTS", "cg:flows:order:order"}) == ":0\r\n");
  }

  TEST_CASE("dead letters are listed, tried again from where they stopped, or dropped") {
    Rig rig;
    run(rig.io, [&]() -> asio::awaitable<void> {
      for (const auto* event : {"e1", "e2", "e3"}) {
        co_await rig.put(event);
        const auto taken = co_await rig.one(*rig.a);
        co_await rig.a->note(taken, "first", "{}");
        co_await rig.a->note(taken, "second", "?");
        CHECK(co_await rig.a->bury(taken, {"second", "body.x", "is wrong", "detail"}) == Kept::Yes);
      }
      auto letters = co_await rig.a->letters(10);
      REQUIRE(letters);
      REQUIRE(letters->size() == 3);
      CHECK(letters->front().event == "e3");
      CHECK(letters->front().step == "second");
      CHECK(letters->front().field == "body.x");
      CHECK((co_await rig.a->count())->dead == 3);
      CHECK((co_await rig.a->letter(run_id("e1", "flow")))->at("detail") == "detail");

      CHECK(co_await rig.a->drop(run_id("e1", "flow")) == 1);
      CHECK(co_await rig.a->drop(run_id("e1", "flow")) == 0);
      CHECK(co_await rig.a->retry(run_id("e2", "flow")) == 1);
      CHECK(co_await rig.a->retry("") == 1);
      CHECK((co_await rig.a->count())->dead == 0);
      for (const auto* event : {"e2", "e3"}) {
        const auto taken = co_await rig.one(*rig.a);
        CHECK(taken.run == run_id(event, "flow"));
        const auto run = std::get<Run>(co_await rig.a->load(taken.run));
        CHECK(run.steps.at("first") == "{}");
        CHECK(run.steps.at("second") == "!");
        CHECK(run.round == 1);
        CHECK(run.tries == 0);
        co_await rig.a->finish(taken);
      }
    });
  }

  TEST_CASE("a slot of the clock is one run, whoever asks, and none while the last is not over") {
    Rig rig;
    const auto tick = [&](Store& store, int slot) {
      return store.tick("flow", policies::WallMillis(slot), "run" + std::to_string(slot), policies::WallMillis(slot),
                        "{}");
    };
    run(rig.io, [&]() -> asio::awaitable<void> {
      CHECK(co_await tick(*rig.a, 1) == 0);  // seen for the first time: it begins with the next slot
      CHECK(co_await tick(*rig.a, 2) == 1);
      CHECK(co_await tick(*rig.b, 2) == 0);
      CHECK(co_await tick(*rig.b, 3) == 2);
      const auto taken = co_await rig.one(*rig.b);
      co_await rig.b->finish(taken);
      CHECK(co_await tick(*rig.b, 3) == 1);
      CHECK(co_await tick(*rig.a, 2) == 0);
    });
  }

  TEST_CASE("a Redis that came back empty, and an entry whose run is gone, hold up nothing") {
    Rig rig;
    run(rig.io, [&]() -> asio::awaitable<void> {
      co_await rig.put("e1");
      const auto taken = co_await rig.one(*rig.a);
      rig.server.command({"DEL", "cg:flows:run:" + taken.run});
      CHECK(co_await rig.a->finish(taken) == Kept::Yes);
      rig.server.command({"FLUSHALL"});
      CHECK(co_await rig.a->finish(taken) == Kept::Lost);
      CHECK(*(co_await rig.a->renew({taken.entry})) == std::vector<bool>{false});
      co_await rig.put("e2");
      CHECK(co_await rig.waiting(*rig.a) == 0);  // makes the group again
      CHECK((co_await rig.one(*rig.a)).run == run_id("e2", "flow"));
      co_await rig.a->tidy();
    });
  }

  TEST_CASE("a lease holds for less time than another replica waits before it claims") {
    Lease lease{{"1-0", "run"}, gateway::cache::boottime()};
    CHECK(lease.holds());
    lease.lost = true;
    CHECK(!lease.holds());
    CHECK(!Lease{{"1-0", "run"}, gateway::cache::boottime() - kHold}.holds());
    CHECK(kHold + kRenew <= kIdle);
  }
}
