// The contract over a fail-over by Sentinel to a copy that does not know of the last writes.
#include <doctest/doctest.h>

#include <optional>

#include "tests/end_to_end/history/scenario.h"

using namespace history;

namespace {

// A replica of the cluster's Redis and a sentinel that watches both.
struct Watch {
  std::optional<RedisServer> replica, sentinel;

  std::string around(RedisServer& master) {
    master.command({"CONFIG", "SET", "repl-diskless-sync-delay", "0"});
    replica.emplace(RedisServer::Options{.arguments = {"--replicaof", "127.0.0.1 " + std::to_string(master.port())}});
    REQUIRE(eventually(milliseconds(20'000), [&] {
      return replica->command({"INFO", "replication"}).find("master_link_status:up") != std::string::npos;
    }));
    sentinel.emplace(RedisServer::Options{
        .arguments = {"--sentinel"},
        .config = "sentinel monitor main 127.0.0.1 " + std::to_string(master.port()) +
                  " 1\nsentinel down-after-milliseconds main 400\nsentinel failover-timeout main 1000\n"});
    sentinel->command(
        {"SENTINEL", "DEBUG", "info-period", "200", "ping-period", "200", "ask-period", "50", "publish-period", "100"});
    REQUIRE(eventually(milliseconds(20'000), [&] {
      return sentinel->command({"SENTINEL", "replicas", "main"}).find(std::to_string(replica->port())) !=
             std::string::npos;
    }));
    return "redis+sentinel://127.0.0.1:" + std::to_string(sentinel->port()) + "/main";
  }
  // What is written from now on stays with the master.
  void cut_copy(RedisServer& master) {
    replica->command({"CONFIG", "SET", "masterauth", "not-the-password"});
    replica->command({"CONFIG", "SET", "masteruser", "nobody"});
    master.command({"CLIENT", "KILL", "TYPE", "replica"});
  }
  // As the sentinel tells clients. The copy itself cuts its connections while it is promoted.
  bool promoted() {
    return sentinel->command({"SENTINEL", "GET-MASTER-ADDR-BY-NAME", "main"}).find(std::to_string(replica->port())) !=
           std::string::npos;
  }
};

}  // namespace

TEST_SUITE("history") {
  TEST_CASE("nobody reads older data than an acknowledged write: a fail-over by Sentinel to an older copy") {
    Watch watch;
    int fail_overs = 0;
    run({.name = "fail-over",
         .cluster = {.redis_url = [&](RedisServer& master) { return watch.around(master); }},
         .rounds = 1,
         .limit = milliseconds(60'000),  // a sentinel on a loaded machine tries more than once
         .fault =
             [&](Cluster& cluster, History& history, std::mt19937&) {
               history.go_on(300);
               if (cluster.redis.pid() < 0) return;  // there is one copy to fail over to
               watch.cut_copy(cluster.redis);
               history.go_on(700);
               cluster.redis.kill();
               history.go_on(50'000, [&] { return watch.promoted(); });
               if (watch.promoted()) ++fail_overs;
               go_on_until_written(history, 20);
             },
         .check = [&](Cluster&, Tally&) { CHECK(fail_overs == 1); }});
  }
}
