// A process that dies at every step of a renewal. The steps are fault points (gateway/fault_point.h); one of them is
// the window that README names: the refresh token is spent at the upstream and the new pair is not written yet.
#include <csignal>
#include <memory>

#include "tests/end_to_end/oauth_world.h"
#include "tests/support/redis_server.h"

using namespace oauth_test;

namespace {

struct Step {
  const char* fault_point;
  bool lost;  // the window
};

bool killed(GatewayProcess& gateway) {
  return eventually(40s, [&] { return gateway.process().wait_for_exit(milliseconds{0}) == 128 + SIGKILL; });
}

std::string problem_at(GatewayProcess& gateway) {
  return HttpClient(gateway.address(), 60s).get(list_of("loc_a"), kUncached).body;
}

// Two replicas; the one that is to die joins when the other has the seed's tokens.
struct Pair {
  explicit Pair(const Step& what) : step(what) {
    survivor = start("");
    REQUIRE(status_at(*survivor, "loc_a") == 200);
    victim = start(what.fault_point);
  }
  std::unique_ptr<GatewayProcess> start(const std::string& fault_point) {
    return std::make_unique<GatewayProcess>(GatewayOptions{.upstream = upstream.process.url(),
                                                           .settings = {{"redis.url", redis.url()}},
                                                           .config = settings("redis", {grant_json("seed-a")}),
                                                           .fault_point = fault_point});
  }
  Step step;
  RedisServer redis;
  Upstream upstream{{"--refresh-token", "seed-a=loc_a", "--access-token-life", "2s"}};
  std::unique_ptr<GatewayProcess> survivor, victim;
};

}  // namespace

TEST_SUITE("oauth_crashes") {
  TEST_CASE("a gateway with a file that dies at any step of a renewal but one starts with working credentials") {
    const Step steps[] = {{"refresh-locked", false}, {"refresh-answered", true}, {"store-written", false},
                          {"store-synced", false},   {"store-renamed", false},   {"refresh-stored", false}};
    for (const auto& step : steps) {
      for (const std::string time : {"1", "2"}) {  // the seed's exchange, and a renewal
        CAPTURE(step.fault_point);
        CAPTURE(time);
        Upstream upstream({"--refresh-token", "seed-a=loc_a", "--access-token-life", time == "1" ? "1h" : "1s"});
        const TempDir folder;
        GatewayOptions options{
            .upstream = upstream.process.url(),
            .config = settings("file:" + (folder.path() / "tokens").string(), {grant_json("seed-a")}),
            .fault_point = step.fault_point + (":" + time)};
        try {
          GatewayProcess gateway(options);
          REQUIRE(killed(gateway));
        } catch (const std::runtime_error&) {  // it died before it told its address
        }
        options.fault_point.clear();
        GatewayProcess next(options);
        if (step.lost)
          CHECK(eventually(kLimit, [&] { return problem_at(next).find("credential-dead") != std::string::npos; }));
        else
          CHECK(status_at(next, "loc_a") == 200);
        CHECK(upstream.book("used_again") == (step.lost ? 1 : 0));
      }
    }
  }

  TEST_CASE("a replica that dies at any step of a renewal but one leaves working credentials to the others") {
    std::vector<std::unique_ptr<Pair>> pairs;
    for (const Step& step :
         {Step{"refresh-locked", false}, Step{"refresh-stored", false}, Step{"refresh-answered", true}})
      pairs.push_back(std::make_unique<Pair>(step));
    for (const auto& pair : pairs) {
      CAPTURE(pair->step.fault_point);
      CHECK(killed(*pair->victim));
    }
    for (const auto& pair : pairs) {
      CAPTURE(pair->step.fault_point);
      if (pair->step.lost) {
        CHECK(eventually(kLimit,
                         [&] { return problem_at(*pair->survivor).find("credential-dead") != std::string::npos; }));
        continue;
      }
      const auto uses = pair->upstream.book("uses");
      CHECK(eventually(kLimit, [&] { return pair->upstream.book("uses") > uses; }));  // the lock has run out
      CHECK(status_at(*pair->survivor, "loc_a") == 200);
      CHECK(pair->upstream.book("used_again") == 0);
      CHECK(pair->upstream.book("unknown") == 0);
    }
  }
}
