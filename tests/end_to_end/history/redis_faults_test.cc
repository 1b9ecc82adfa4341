// The contract while Redis is killed, stands still, forgets, is full or answers garbage.
#include <doctest/doctest.h>

#include <csignal>

#include "tests/end_to_end/history/scenario.h"

using namespace history;

namespace {
int up_to(std::mt19937& random, int most) { return static_cast<int>(random() % static_cast<unsigned>(most)); }

double unreadable(Cluster& cluster) {
  double counted = 0;
  for (int r = 0; r < kReplicas; ++r) counted += cluster.metric(r, "gateway_cache_unreadable_entries_total");
  return counted;
}

}  // namespace

TEST_SUITE("history") {
  TEST_CASE("nobody reads older data than an acknowledged write: calm") {
    run({.name = "calm", .fault = [](Cluster&, History& history, std::mt19937&) { history.go_on(500); }});
  }

  TEST_CASE("nobody reads older data than an acknowledged write: Redis killed and restarted empty") {
    run({.name = "Redis killed", .rounds = 1, .fault = [](Cluster& cluster, History& history, std::mt19937& random) {
           history.go_on(300 + up_to(random, 400));
           cluster.redis.kill();
           history.go_on(up_to(random, 300));
           cluster.redis.start();
           if (random() % 3 != 0) go_on_until_written(history, 20);  // else again, while writers still wait
         }});
  }

  TEST_CASE("nobody reads older data than an acknowledged write: Redis paused") {
    run({.name = "Redis paused", .fault = [](Cluster& cluster, History& history, std::mt19937& random) {
           history.go_on(300);
           cluster.redis.pause();
           history.go_on(up_to(random, full() ? 4'500 : 1'500));
           cluster.redis.resume();
           if (random() % 2 == 0) go_on_until_written(history, 10);
         }});
  }

  // The writer itself is stopped once it has answered, so that nothing it does later can help.
  TEST_CASE("a write answered while Redis stood still is what every replica reads when Redis goes on") {
    Cluster cluster;
    Door door(cluster);
    REQUIRE(door.send(0, put_of(0, 1)).status == 200);
    for (int r = 1; r < kReplicas; ++r)
      for (int i = 0; i < 2; ++i) CHECK(version_in(door.send(r, {.target = target_of(0)}).body) == 1);
    cluster.redis.pause();
    // The marks of the first may wait in Redis' socket; after it the connection is known to be gone.
    REQUIRE(door.send(0, put_of(1, 2)).status == 200);
    REQUIRE(door.send(0, put_of(0, 2)).status == 200);
    cluster.signal(0, SIGSTOP);
    cluster.redis.resume();
    int stale = 0, hits = 0;
    for (const Deadline limit(milliseconds(10'000)); hits < 20 && !limit.passed();)
      for (int r = 1; r < kReplicas; ++r) {
        const auto response = door.send(r, {.target = target_of(0)});
        if (version_in(response.body) != 2) ++stale;
        if (response.field("Cache-Status").find("; hit") != std::string::npos) ++hits;
      }
    cluster.signal(0, SIGCONT);
    CHECK(stale == 0);
    CHECK(hits >= 20);
  }

  TEST_CASE("nobody reads older data than an acknowledged write: keys evicted at random, all flushed") {
    run({.name = "evictions", .rounds = 1, .fault = [](Cluster& cluster, History& history, std::mt19937& random) {
           static const std::vector<std::string> kKeys{"cg:log", "cg:s:contact:contact0000000000001",
                                                       "cg:s:contact:contact0000000000002"};
           if (random() % 3 == 0)
             cluster.redis.command({"FLUSHALL"});
           else
             cluster.redis.command({"DEL", "cg:epoch"});
           go_on_until_written(history, 10);
           for (int i = 0; i < 10; ++i) {
             cluster.redis.command({"DEL", kKeys[random() % kKeys.size()]});
             history.go_on(30 + up_to(random, 100));
           }
         }});
  }

  // Redis itself chooses, under a limit that its keys do not fit in.
  TEST_CASE("nobody reads older data than an acknowledged write: Redis out of memory, with and without eviction") {
    run({.name = "out of memory", .fault = [](Cluster& cluster, History& history, std::mt19937& random) {
           const bool evicts = random() % 2 == 0;
           cluster.redis.command({"CONFIG", "SET", "maxmemory-policy", evicts ? "allkeys-random" : "noeviction"});
           cluster.redis.command({"CONFIG", "SET", "maxmemory", "1"});
           history.go_on(100 + up_to(random, 600));
           cluster.redis.command({"CONFIG", "SET", "maxmemory", "0"});
           history.go_on(200);
         }});
  }

  TEST_CASE("nobody reads older data than an acknowledged write: Redis answers garbage") {
    run({.name = "garbage",
         .cluster = {.relayed = true},
         .unfenced_may_show = true,  // some replicas have lost Redis, others not
         .fault = [](Cluster& cluster, History& history, std::mt19937& random) {
           for (int r = 0; r < kReplicas; ++r)
             if (random() % 3 != 0) cluster.relay(r).set(TcpRelay::Mode::Garble);
           history.go_on(300 + up_to(random, 700));
           for (int r = 0; r < kReplicas; ++r) cluster.relay(r).set(TcpRelay::Mode::Pass);
           history.go_on(700);
         }});
  }

  TEST_CASE("nobody reads older data than an acknowledged write: entries overwritten, and each is counted") {
    run({.name = "overwritten entries",
         .fault =
             [](Cluster& cluster, History& history, std::mt19937& random) {
               // What is stored stays where it is, under its own stamp; only its bytes are others. A few times at
               // least, since memory answers most reads.
               for (int more = 50; more > 0; more = unreadable(cluster) > 0 ? 0 : more - 1) {
                 cluster.redis.command(
                     {"EVAL",
                      "for _, k in ipairs(redis.call('KEYS', 'cg:e:*')) do "
                      "local d = redis.call('HGET', k, 'd') "
                      "if d and #d > 40 then redis.call('HSET', k, 'd', ARGV[1] == '0' and 'foreign' or "
                      "string.sub(d, 1, 40) .. '!' .. string.sub(d, 42)) end end return 1",
                      "0", std::to_string(random() % 2)});
                 history.go_on(20);
               }
             },
         .check = [](Cluster& cluster, Tally&) { CHECK(unreadable(cluster) > 0); }});
  }

  // What one replica is told of the others' invalidations and acknowledgements is lost again and again.
  TEST_CASE("nobody reads older data than an acknowledged write: subscriptions cut") {
    run({.name = "subscriptions cut", .fault = [](Cluster& cluster, History& history, std::mt19937& random) {
           cluster.redis.command({"CLIENT", "KILL", "TYPE", "pubsub"});
           history.go_on(100 + up_to(random, 300));
         }});
  }
}
