#include "policies/fair_queue.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <map>
#include <random>
#include <string>

#include "tests/policies/seeds.h"

using namespace std::chrono_literals;
using policies::FairQueue;
using policies::Instant;
using policies::Waiter;

namespace {

std::string served(FairQueue& queue, Instant now) {
  std::string ids;
  while (const auto waiter = queue.pop(now)) ids += std::to_string(waiter->id) + " ";
  return ids;
}

}  // namespace

TEST_SUITE_BEGIN("fair queue");

TEST_CASE("better urgency goes first, and one client's equals go first in, first out") {
  FairQueue queue({});
  for (const auto& waiter :
       {Waiter{1, 0, 3}, Waiter{2, 0, 7}, Waiter{3, 0, 0}, Waiter{4, 0, 3}, Waiter{5, 0, 99}, Waiter{6, 0, -4}})
    REQUIRE(queue.join(waiter, 0s).queued);
  CHECK(served(queue, 1s) == "3 6 1 4 2 5 ");
}

TEST_CASE("equal urgency goes round-robin over clients") {
  FairQueue queue({});
  for (const auto& waiter : {Waiter{1, 7}, Waiter{2, 7}, Waiter{3, 7}, Waiter{4, 8}, Waiter{5, 8}, Waiter{6, 9}})
    REQUIRE(queue.join(waiter, 0s).queued);
  CHECK(served(queue, 1s) == "1 4 6 2 5 3 ");
}

TEST_CASE("each five seconds waited make a request one step more urgent") {
  struct Row {
    int urgency;
    Instant wait;
    bool first;  // before a fresh request of urgency 3 of the same client
  };
  for (const auto& row :
       {Row{4, 4999ms, false}, Row{4, 5s, true}, Row{7, 19s, false}, Row{7, 20s, true}, Row{3, 0s, true}}) {
    CAPTURE(row.urgency);
    FairQueue queue({});
    REQUIRE(queue.join({1, 0, row.urgency, 0s}, 0s).queued);
    REQUIRE(queue.join({2, 0, 3, row.wait}, row.wait).queued);
    CHECK(queue.pop(row.wait)->id == (row.first ? 1 : 2));
  }
}

TEST_CASE("an aged backlog takes turns with another client's fresh request and never goes before it twice") {
  FairQueue queue({});
  for (std::uint64_t id = 1; id <= 1'000; ++id) REQUIRE(queue.join({id, 1, 5, 0s}, 0s).queued);
  for (std::uint64_t round = 0; round < 100; ++round) {
    const Instant now = 60s + round * 100ms;
    const std::uint64_t interactive = 10'000 + round;
    REQUIRE(queue.join({interactive, 2, 4, now}, now).queued);
    CHECK((queue.pop(now)->id == interactive || queue.pop(now)->id == interactive));
    queue.pop(now);
  }
  CHECK(queue.size() < 1'000 - 50);
}

TEST_CASE("a full queue makes room at the cost of the longest backlog, or refuses") {
  FairQueue queue({3});
  REQUIRE(queue.join({1, 1}, 0s).queued);
  REQUIRE(queue.join({2, 1}, 0s).queued);
  REQUIRE(queue.join({3, 1}, 0s).queued);
  CHECK_FALSE(queue.join({4, 1}, 0s).queued);
  const auto other = queue.join({5, 2}, 0s);
  CHECK(other.queued);
  CHECK(other.displaced == 3);
  CHECK_FALSE(queue.join({6, 2}, 0s).queued);  // it would only swap who has more
  const auto urgent = queue.join({7, 1, 0}, 0s);
  CHECK(urgent.displaced == 2);
  CHECK(served(queue, 0s) == "7 5 1 ");
  CHECK_FALSE(FairQueue({0}).join({1}, 0s).queued);
}

TEST_CASE("a client that left is served no more") {
  FairQueue queue({});
  REQUIRE(queue.join({1, 0, 3, 0s}, 0s).queued);
  REQUIRE(queue.join({2, 0, 3, 0s}, 0s).queued);
  CHECK(queue.leave(1));
  CHECK_FALSE(queue.leave(1));
  CHECK(queue.pop(3s)->id == 2);
  CHECK_FALSE(queue.pop(3s).has_value());
}

TEST_CASE("a request joined by a more urgent one moves up") {
  FairQueue queue({});
  REQUIRE(queue.join({1, 0, 3, 0s}, 0s).queued);
  REQUIRE(queue.join({2, 0, 6, 0s}, 0s).queued);
  queue.improve(2, 1, 1s);
  queue.improve(77, 0, 1s);  // nobody of that name waits
  CHECK(queue.pop(6s)->id == 2);
}

TEST_CASE("how many go ahead of a newcomer counts the more urgent, its own, and one turn of each equal") {
  FairQueue queue({});
  for (std::uint64_t id = 1; id <= 10; ++id) REQUIRE(queue.join({id, 1, 3}, 0s).queued);
  CHECK(queue.ahead(1, 3, 0s) == 10);
  CHECK(queue.ahead(2, 3, 0s) == 0);
  CHECK(queue.ahead(2, 4, 0s) == 10);
  CHECK(queue.ahead(2, 2, 0s) == 0);
  REQUIRE(queue.join({11, 2, 3}, 0s).queued);
  CHECK(queue.ahead(2, 3, 0s) == 2);
  CHECK(queue.ahead(1, 3, 0s) == 11);
}

TEST_CASE("over random schedules everyone is served in turn: nobody starves, no client is favoured, order holds") {
  for (unsigned seed = 0; seed < tests::seeds(); ++seed) {
    std::mt19937 random(seed);
    FairQueue queue({200, 5s});
    const unsigned clients = 1 + random() % 6;
    std::map<std::uint64_t, Waiter> waiting;
    std::map<std::pair<std::uint32_t, int>, std::uint64_t> last;  // the newest id served of a client and urgency
    std::uint64_t ids = 0;
    Instant now{0};
    for (int step = 0; step < 150; ++step) {
      now += std::chrono::milliseconds(random() % 400);
      for (auto joins = random() % 3; joins > 0; --joins) {
        const Waiter waiter{++ids, static_cast<std::uint32_t>(random() % clients), static_cast<int>(random() % 8), now};
        if (queue.join(waiter, now).queued) waiting.emplace(waiter.id, waiter);
      }
      if (!waiting.empty() && random() % 16 == 0) {
        const auto left = waiting.begin()->first;
        waiting.erase(left);
        if (!queue.leave(left)) FAIL("seed " << seed << ": " << left << " was not waiting");
      }
      const auto next = queue.pop(now);
      if (next.has_value() == waiting.empty()) FAIL("seed " << seed << ": idle while somebody waits");
      if (!next) continue;
      waiting.erase(next->id);
      auto& newest = last[{next->client, next->urgency}];
      if (next->id < newest) FAIL("seed " << seed << ": " << next->id << " was overtaken by its equal " << newest);
      newest = next->id;
      const auto aged = [&](const Waiter& waiter) {
        return std::max<long>(0, waiter.urgency - (now - waiter.since) / 5s);
      };
      for (const auto& [id, other] : waiting) {
        if (other.client == next->client && aged(other) < aged(*next)) FAIL("seed " << seed << ": urgency ignored");
        if (other.client == next->client && aged(other) == aged(*next) && id < next->id)
          FAIL("seed " << seed << ": not in order");
        if (other.urgency < aged(*next)) FAIL("seed " << seed << ": a fresh, more urgent request was passed over");
      }
    }
    // Those that are left: between two turns of one client among equals, every other client has one.
    now += 60s;
    std::map<std::uint32_t, std::size_t> left;
    for (const auto& [id, waiter] : waiting) ++left[waiter.client];
    std::map<std::uint32_t, std::size_t> turns;
    while (const auto next = queue.pop(now)) {
      ++turns[next->client];
      for (const auto& [client, count] : left)
        if (turns[client] < count && turns[next->client] > turns[client] + 1)
          FAIL("seed " << seed << ": client " << client << " starves");
    }
  }
}

TEST_SUITE_END();
