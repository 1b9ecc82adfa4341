// The way into a worker: tasks that come together wake it once, and none is ever left behind without a wake-up.
#include "gateway/server/mailbox.h"

#include <doctest/doctest.h>
#include <poll.h>

#include <atomic>
#include <cstddef>
#include <thread>
#include <vector>

using gateway::server::Mailbox;
using gateway::server::Worker;

TEST_SUITE("server") {
  TEST_CASE("every task posted by several threads is woken for, also one that nobody posts after") {
    constexpr int kThreads = 3, kEach = 5'000, kPatience = 10'000;
    Pistache::Polling::Epoll poller;
    Mailbox mailbox;
    mailbox.bind(poller);
    alignas(std::max_align_t) static char nobody[1];  // the tasks of this test do not touch their worker
    auto& worker = *reinterpret_cast<Worker*>(nobody);
    std::atomic<bool> woken = true;
    std::atomic<int> ran = 0;
    std::vector<std::thread> threads;
    for (int i = 0; i < kThreads; ++i)
      threads.emplace_back([&] {
        for (int task = 0; task < kEach; ++task) {
          std::atomic<bool> done = false;
          mailbox.post([&](Worker&) { ++ran, done = true; });
          while (!done && woken) std::this_thread::yield();  // nothing of this thread's wakes for it later
        }
      });
    while (ran < kThreads * kEach && woken) {
      pollfd wait{static_cast<int>(mailbox.tag().value()), POLLIN, 0};
      woken = ::poll(&wait, 1, kPatience) == 1;
      if (woken) mailbox.drain(worker);
    }
    for (auto& thread : threads) thread.join();
    CHECK(woken);
    CHECK(ran == kThreads * kEach);
  }
}
