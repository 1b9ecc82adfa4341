// The contract while a replica dies, stands still, is cut off from Redis or has the wrong time.
#include <doctest/doctest.h>

#include <algorithm>
#include <csignal>

#include "tests/end_to_end/history/scenario.h"

using namespace history;

namespace {

int up_to(std::mt19937& random, int most) { return static_cast<int>(random() % static_cast<unsigned>(most)); }
// Everyday those after which most can go wrong.
std::vector<std::string> steps(const std::vector<std::string>& everyday) {
  return full() ? std::vector<std::string>{"begin", "begun", "send", "upstream", "answered", "end", "ended"} : everyday;
}

// The replica runs into the signal at this step of one of its first writes.
std::vector<std::string> at_step(const std::string& step, const std::string& signal) {
  return {"ALTERED_STEP=" + step, "ALTERED_SIGNAL=" + signal, "ALTERED_WRITE=2"};
}

void cut_off(Cluster& cluster, History& history, std::mt19937& random, const std::function<bool()>& seen = {}) {
  history.go_on(300);
  // A connection that is closed, and one on which nothing comes any more, are noticed at different times.
  cluster.relay(0).set(random() % 2 == 0 ? TcpRelay::Mode::Refuse : TcpRelay::Mode::Hold);
  history.go_on(full() ? 500 + up_to(random, 6'000) : 3'700);
  if (seen) history.go_on(20'000, seen);
  cluster.relay(0).set(TcpRelay::Mode::Pass);
  history.go_on(500);
}

double unfenced(Cluster& cluster) {
  double counted = 0;
  for (int r = 0; r < kReplicas; ++r) counted += cluster.metric(r, "gateway_cache_unfenced_writes_total");
  return counted;
}

}  // namespace

TEST_SUITE("history") {
  TEST_CASE("nobody reads older data than an acknowledged write: a replica killed and started again") {
    run({.name = "replica killed",
         .reads_succeed = false,
         .fault = [](Cluster& cluster, History& history, std::mt19937& random) {
           history.go_on(300 + up_to(random, 500));
           const int victim = up_to(random, kReplicas);
           cluster.kill(victim);
           cluster.start(victim);
         }});
  }

  TEST_CASE("nobody reads older data than an acknowledged write: a replica stopped and continued") {
    run({.name = "replica stopped",
         .reads_succeed = false,
         .rounds = 1,
         .fault = [](Cluster& cluster, History& history, std::mt19937& random) {
           // For less than its lease, and for longer.
           for (const int milliseconds_ : {up_to(random, 1'500), 3'200 + up_to(random, full() ? 1'500 : 300)}) {
             history.go_on(200);
             const int victim = up_to(random, kReplicas);
             cluster.signal(victim, SIGSTOP);
             history.go_on(milliseconds_);
             cluster.signal(victim, SIGCONT);
           }
         }});
  }

  TEST_CASE("nobody reads older data than an acknowledged write: a replica killed at each step of a write") {
    const auto at = steps({"upstream", "answered"});
    std::size_t rounds = 0, died = 0;
    run({.name = "killed at a step",
         .reads_succeed = false,
         .rounds = static_cast<int>(at.size()),
         .fault =
             [&](Cluster& cluster, History& history, std::mt19937&) {
               cluster.kill(2);
               cluster.start(2, at_step(at[rounds++ % at.size()], "KILL"));
               history.go_on(6'000, [&] { return !cluster.running(2); });
               if (!cluster.running(2)) ++died;
             },
         .check = [&](Cluster&, Tally&) { CHECK(died >= std::min(rounds, at.size()) - 1); }});
  }

  TEST_CASE("nobody reads older data than an acknowledged write: a replica stopped at each step of a write") {
    const auto at = steps({"begun", "answered"});
    std::size_t rounds = 0, stopped = 0;
    run({.name = "stopped at a step",
         .reads_succeed = false,
         .rounds = static_cast<int>(at.size()),
         .fault =
             [&](Cluster& cluster, History& history, std::mt19937& random) {
               cluster.stop(2);
               cluster.start(2, at_step(at[rounds++ % at.size()], "STOP"));
               history.go_on(6'000, [&] { return cluster.suspended(2); });
               if (cluster.suspended(2)) ++stopped;
               history.go_on(full() ? up_to(random, 5'000) : 500);
               cluster.signal(2, SIGCONT);
               history.go_on(200);
             },
         .check = [&](Cluster&, Tally&) { CHECK(stopped >= std::min(rounds, at.size()) - 1); }});
  }

  TEST_CASE("nobody reads older data than an acknowledged write: one replica cut off, writes refused without Redis") {
    run({.name = "cut off, refuse-writes",
         .cluster = {.settings = {{"cache.on_redis_loss", "refuse-writes"}}, .relayed = true},
         .rounds = 1,
         .fault = [](Cluster& cluster, History& history, std::mt19937& random) { cut_off(cluster, history, random); },
         .check =
             [](Cluster& cluster, Tally& tally) {
               // Those that had begun when Redis was lost could not be refused any more; their marks still hold.
               CHECK(tally.unfenced_violations == 0);
               CHECK(unfenced(cluster) >= tally.unfenced_writes);
               CHECK(tally.unknown_writes > 0);  // the refused ones
             }});
  }

  TEST_CASE("one replica cut off, writes proceed: what is read too old is what a counted unfenced write wrote") {
    run({.name = "cut off, proceed",
         .cluster = {.relayed = true},
         .rounds = 1,
         .unfenced_may_show = true,
         .fault =
             [](Cluster& cluster, History& history, std::mt19937& random) {
               cut_off(cluster, history, random, [&] { return history.tally.unfenced_writes > 0; });
             },
         .check =
             [](Cluster& cluster, Tally& tally) {
               MESSAGE("cut off, proceed: ", tally.unfenced_violations.load(), " reads missed unfenced writes alone");
               CHECK(tally.unfenced_writes > 0);
               CHECK(unfenced(cluster) >= tally.unfenced_writes);
             }});
  }

  TEST_CASE("nobody reads older data than an acknowledged write: the replicas' clocks are minutes apart") {
    run({.name = "clocks apart",
         .cluster = {.alteration = {{{"ALTERED_CLOCK=-420"}, {"ALTERED_CLOCK=0"}, {"ALTERED_CLOCK=600"}}}},
         .fault =
             [](Cluster& cluster, History& history, std::mt19937& random) {
               history.go_on(300);
               const auto evicted = "cg:s:contact:contact000000000000" + std::to_string(1 + random() % kContacts);
               cluster.redis.command({"DEL", evicted});
             },
         .check =
             [](Cluster& cluster, Tally&) {
               // The clocks are what they were meant to be: their log lines say so.
               const auto minutes = [&](int r) {
                 const auto line = cluster.gateway(r).process().output(Stream::Error);
                 const auto at = line.find("\"time\":\"");
                 REQUIRE(at != std::string::npos);
                 return std::atoi(line.c_str() + at + 8 + 11) * 60 + std::atoi(line.c_str() + at + 8 + 14);
               };
               CHECK(((minutes(2) - minutes(0)) + 24 * 60) % (24 * 60) >= 16);
             }});
  }

  TEST_CASE("what is in Redis stays good over a restart of all gateways, since each gives its lease back") {
    Cluster cluster;
    CHECK(HttpClient(cluster.address(0)).get(target_of(0)).status == 200);
    for (int r = 0; r < kReplicas; ++r) cluster.stop(r);
    // Longer than any lease: only then does it show whether they were given back.
    eventually(milliseconds(3'500), [] { return false; });
    cluster.start(1);
    // Never asks the upstream, so that only what is in Redis can answer, once the connection to it is up.
    CHECK(eventually(milliseconds(5'000), [&] {
      return HttpClient(cluster.address(1))
                 .send({.target = target_of(0), .fields = {{"Cache-Control", "only-if-cached"}}})
                 .status == 200;
    }));
  }
}
