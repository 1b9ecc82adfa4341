// What losing Redis costs readers: nothing but time, and of that no more than redis.timeout; and what is back when it
// is.
#include <doctest/doctest.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <thread>
#include <vector>

#include "tests/end_to_end/history/scenario.h"
#include "tests/support/sanitized.h"

using namespace history;

namespace {

using Clock = std::chrono::steady_clock;

// Readers who go on from before the fault to after it, each read of another contact than the last, and nothing of it in
// memory: every one needs Redis or the upstream.
class Load {
 public:
  enum Phase { Before, During, After };
  explicit Load(Cluster& cluster) : cluster_(cluster) {
    for (int r = 0; r < kReplicas; ++r) threads_.emplace_back([this, r] { read(r); });
  }
  ~Load() { end(); }
  void enter(Phase phase) { phase_ = phase; }
  void end() {
    ending_ = true;
    for (auto& thread : threads_)
      if (thread.joinable()) thread.join();
  }
  int reads(Phase phase) {
    std::lock_guard lock(mutex_);
    return static_cast<int>(took_[phase].size());
  }
  double milliseconds_at(Phase phase, double quantile) {
    std::lock_guard lock(mutex_);
    auto& took = took_[phase];
    std::sort(took.begin(), took.end());
    return took.empty() ? 0 : took[static_cast<std::size_t>(quantile * static_cast<double>(took.size() - 1))];
  }
  std::atomic<int> failed{0};

 private:
  void read(int replica) {
    Door door(cluster_);
    for (int i = 0; !ending_; ++i) {
      const Phase phase = phase_;
      const auto began = Clock::now();
      try {
        // Each page is another key.
        const auto target =
            "/contacts/?locationId=loc_demo&limit=1&startAfter=" + std::to_string(replica * 1'000'000 + i);
        if (door.send(replica, {.target = target}).status != 200) ++failed;
      } catch (const HttpError&) {
        ++failed;
      }
      const std::chrono::duration<double, std::milli> took = Clock::now() - began;
      std::lock_guard lock(mutex_);
      took_[phase].push_back(took.count());
    }
  }

  Cluster& cluster_;
  std::atomic<Phase> phase_{Before};
  std::atomic<bool> ending_{false};
  std::mutex mutex_;
  std::vector<double> took_[3];
  std::vector<std::thread> threads_;
};

}  // namespace

TEST_SUITE("history") {
  TEST_CASE(
      "Redis stopped under load: no read fails, none waits for longer than redis.timeout, and it is found again") {
    for (const bool killed : {false, true}) {
      CAPTURE(killed);
      Cluster cluster;
      Load load(cluster);
      const int reads = full() ? 3'000 : 200;
      const auto passed = [&](Load::Phase phase) {
        return eventually(milliseconds(60'000), [&] { return load.reads(phase) >= reads; });
      };
      REQUIRE(passed(Load::Before));
      load.enter(Load::During);
      killed ? cluster.redis.kill() : cluster.redis.pause();
      REQUIRE(passed(Load::During));
      killed ? cluster.redis.start() : cluster.redis.resume();
      load.enter(Load::After);
      REQUIRE(passed(Load::After));
      // Its tier works again: what one replica fetches, another has from there.
      CHECK(eventually(milliseconds(20'000), [&] {
        HttpClient(cluster.address(0)).get(target_of(1));
        return cluster.metric(1, "gateway_redis_up") == 1 &&
               HttpClient(cluster.address(1)).get(target_of(1)).field("Cache-Status").find("; hit") !=
                   std::string::npos;
      }));
      load.end();
      CHECK(load.failed == 0);
      // The times of a loaded machine or a sanitizer say little: only that nobody waited for what never came.
      const double slack = full() && !kSanitized ? 20 : 400;
      const double quantile = kSanitized ? 0.95 : 1;
      CHECK(load.milliseconds_at(Load::During, quantile) <= load.milliseconds_at(Load::Before, 0.95) + 50 + slack);
      MESSAGE(std::string(killed ? "killed" : "stopped"),
              ": p50, p99, most before: ", load.milliseconds_at(Load::Before, 0.5), ", ",
              load.milliseconds_at(Load::Before, 0.99), ", ", load.milliseconds_at(Load::Before, 1),
              " ms; during: ", load.milliseconds_at(Load::During, 0.5), ", ", load.milliseconds_at(Load::During, 0.99),
              ", ", load.milliseconds_at(Load::During, 1), " ms; after: ", load.milliseconds_at(Load::After, 0.5), ", ",
              load.milliseconds_at(Load::After, 0.99), ", ", load.milliseconds_at(Load::After, 1), " ms");
    }
  }
}
