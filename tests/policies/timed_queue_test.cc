#include "policies/timed_queue.h"

#include <doctest/doctest.h>

#include <random>
#include <set>
#include <vector>

using policies::Instant;
using policies::TimedQueue;

TEST_SUITE("timed queue") {
  TEST_CASE("holds what a multiset of the same pairs holds, in its order, whatever is put in and taken out where") {
    std::mt19937_64 random(20261126);
    TimedQueue queue;
    std::multiset<TimedQueue::Timed> expected;
    for (int step = 0; step < 20'000; ++step) {
      const TimedQueue::Timed timed{Instant(step / 4 + static_cast<int>(random() % 40)), random() % 3};
      switch (random() % 8) {
        case 0:
          if (!expected.empty()) queue.pop_front(), expected.erase(expected.begin());
          break;
        case 1:
          if (const auto found = expected.find(timed); found != expected.end()) expected.erase(found);
          queue.erase(timed.first, timed.second);
          break;
        case 2:
          if (random() % 500 != 0) break;
          queue.delay(Instant(1));
          {
            std::multiset<TimedQueue::Timed> later;
            for (const auto& [at, id] : expected) later.emplace(at + Instant(1), id);
            expected = later;
          }
          break;
        default:
          queue.insert(timed.first, timed.second);
          expected.insert(timed);
      }
      REQUIRE(queue.size() == expected.size());
      if (!queue.empty()) REQUIRE(queue.front() == *expected.begin());
      if (step % 1'000 != 0) continue;
      REQUIRE(std::vector(queue.begin(), queue.end()) == std::vector(expected.begin(), expected.end()));
      for (std::size_t place = 0; place < queue.size(); ++place)
        REQUIRE(queue[place] == *std::next(expected.begin(), static_cast<std::ptrdiff_t>(place)));
    }
  }
}
