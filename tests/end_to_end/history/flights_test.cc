// Single flight across replicas: whatever number of clients asks whichever replica for one cold key, the upstream is
// asked once; and once more where the replica that asked dies.
#include <doctest/doctest.h>

#include <vector>

#include "tests/end_to_end/history/cluster.h"
#include "tests/support/json.h"

using namespace history;

namespace {

// Slow, so that everybody asks while the first fetch is under way; and a Redis that other tests keep waiting is still
// waited for, since a replica that does without it fetches for itself.
ClusterOptions slow() { return {.settings = {{"redis.timeout", "5s"}}, .simulator = {"--latency", "1500ms"}}; }

std::int64_t book(Cluster& cluster, const std::string& what) {
  return Json(HttpClient(cluster.simulator.address()).get("/_simulator/books").body).integer(what);
}
std::int64_t upstream_requests(Cluster& cluster) { return book(cluster, "total"); }

std::vector<HttpClient> ask(Cluster& cluster, int first_replica, int replicas, int clients) {
  std::vector<HttpClient> asking;
  asking.reserve(static_cast<std::size_t>(clients));
  for (int i = 0; i < clients; ++i)
    asking.emplace_back(cluster.address(first_replica + i % replicas), milliseconds(30'000))
        .write(to_bytes({.target = target_of(0)}, "gateway"));
  return asking;
}

void expect_one_answer(std::vector<HttpClient>& clients) {
  std::string body;
  for (HttpClient& client : clients) {
    const HttpResponse response = client.read();
    CHECK(response.status == 200);
    if (body.empty()) body = response.body;
    CHECK(response.body == body);
  }
}

}  // namespace

TEST_SUITE("history") {
  TEST_CASE("1,000 clients on one cold key over 3 replicas cause one upstream request") {
    Cluster cluster(slow());
    auto clients = ask(cluster, 0, kReplicas, 1'000);
    expect_one_answer(clients);
    CHECK(upstream_requests(cluster) == 1);
  }

  TEST_CASE("1,000 clients on one cold key, the replica that fetches it killed in flight: at most two") {
    Cluster cluster(slow());
    auto leader = ask(cluster, 0, 1, 1);
    REQUIRE(eventually(milliseconds(10'000), [&] { return upstream_requests(cluster) == 1; }));
    auto lost = ask(cluster, 0, 1, 332);
    auto others = ask(cluster, 1, 2, 667);
    cluster.kill(0);
    expect_one_answer(others);
    CHECK(upstream_requests(cluster) <= 2);
    for (auto* clients : {&leader, &lost})
      for (auto& client : *clients) CHECK(client.closed_by_peer(milliseconds(10'000)));
  }

  TEST_CASE("a read waits for another replica's fetch no longer than it said it would wait") {
    Cluster cluster({.settings = {{"redis.timeout", "5s"}}, .simulator = {}});
    HttpClient(cluster.simulator.address())
        .send({.method = "POST",
               .target = "/_simulator/faults",
               .body = R"({"match":{"method":"GET","path_prefix":"/contacts"},"fault":"latency=15s","count":1})"});
    auto leader = ask(cluster, 0, 1, 1);
    REQUIRE(eventually(milliseconds(10'000), [&] { return book(cluster, "faults") == 1; }));
    const auto response =
        HttpClient(cluster.address(1), milliseconds(30'000)).get(target_of(0), {{"Prefer", "wait=1"}});
    CHECK(response.status == 200);
    CHECK(upstream_requests(cluster) == 1);  // the other one is not answered yet
    pollfd answered{leader[0].descriptor(), POLLIN, 0};
    CHECK(::poll(&answered, 1, 0) == 0);
  }

  TEST_CASE("a read through a replica that is cut off joins no fetch from before another replica's write") {
    Cluster cluster({.simulator = {}, .relayed = true});
    // Its lease holds, or it could not lapse: memory answers.
    const std::string answered = R"(gateway_cache_requests_total{operation="get-contact",result="hit",tier="memory"})";
    REQUIRE(eventually(milliseconds(10'000), [&] {
      HttpClient(cluster.address(0)).get(target_of(1));
      return cluster.metric(0, answered) > 0;
    }));
    const auto asked = upstream_requests(cluster);
    cluster.relay(0).set(TcpRelay::Mode::Refuse);
    // From here on no writer waits for it, and nothing tells it of a write.
    const std::string lapsed = R"(gateway_cache_invalidations_total{cause="lease"})";
    REQUIRE(eventually(milliseconds(10'000), [&] { return cluster.metric(0, lapsed) > 0; }));
    // The value is read at once and takes long to arrive.
    HttpClient(cluster.simulator.address())
        .send({.method = "POST",
               .target = "/_simulator/faults",
               .body = R"({"match":{"method":"GET"},"fault":"slow-body=700ms","count":1})"});
    auto before = ask(cluster, 0, 1, 1);
    REQUIRE(eventually(milliseconds(10'000), [&] { return upstream_requests(cluster) == asked + 1; }));
    Door door(cluster);
    REQUIRE(door.send(1, put_of(0, 77)).status == 200);
    CHECK(version_in(door.send(0, {.target = target_of(0)}).body) == 77);
    CHECK(before.front().read().status == 200);
  }
}
