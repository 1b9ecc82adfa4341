// Lists and searches come from the upstream's index, which shows a write only after a while. For the settle time after
// a write they are not kept, so that no cached one outlives the moment from which the upstream's own shows it.
#include <doctest/doctest.h>

#include <atomic>
#include <mutex>
#include <random>
#include <thread>
#include <vector>

#include "tests/end_to_end/history/scenario.h"

using namespace history;

namespace {

using Clock = std::chrono::steady_clock;

constexpr milliseconds kIndexLag{200};
constexpr milliseconds kSettle{500};
constexpr milliseconds kUnderWay{100};  // a fetch from just before that moment may be joined, as nothing changed since

// A list or search that begins once the index has had its time after a write was answered must show it. What is wrongly
// kept would be answered for much longer.
class Lists {
 public:
  explicit Lists(Cluster& cluster) : cluster_(cluster) {}

  void run(int writes) {
    std::vector<std::thread> readers;
    for (int r = 0; r < 2 * kReplicas; ++r) readers.emplace_back([this, r] { read(r); });
    Door door(cluster_);
    for (int version = 1; version <= writes; ++version) {
      const auto status = door.send(version % kReplicas, put_of(0, version)).status;
      {
        std::lock_guard lock(mutex_);
        answered_.push_back({version, Clock::now()});
      }
      CHECK(status == 200);
      const int seen = hits;  // kept again and served, so that the next write has something to make stale
      CHECK(eventually(milliseconds(20'000),
                       [&] { return Clock::now() > answered_.back().at + kSettle && hits > seen + 20; }));
    }
    ending_ = true;
    for (auto& reader : readers) reader.join();
  }

  std::atomic<int> reads{0}, hits{0}, stale{0};

 private:
  struct Answered {
    std::int64_t version;
    Clock::time_point at;
  };

  std::int64_t floor() {
    std::lock_guard lock(mutex_);
    std::int64_t version = 0;
    for (const auto& answered : answered_)
      if (answered.at + kIndexLag + kUnderWay <= Clock::now()) version = answered.version;
    return version;
  }

  void read(int reader) {
    std::mt19937 random(static_cast<unsigned>(reader));
    Door door(cluster_);
    const HttpRequest list{.target = "/contacts/?locationId=loc_demo&limit=100"};
    const HttpRequest search{.method = "POST",
                             .target = "/contacts/search",
                             .fields = {{"Content-Type", "application/json"}},
                             .body = R"({"locationId":"loc_demo","pageLimit":100})"};
    while (!ending_) {
      const auto expected = floor();
      HttpResponse response;
      try {
        response = door.send(static_cast<int>(random() % kReplicas), random() % 2 == 0 ? list : search);
      } catch (const HttpError&) {
        continue;
      }
      if (response.status != 200) continue;
      ++reads;
      if (response.field("Cache-Status").find("; hit") != std::string::npos) ++hits;
      if (version_in(response.body) < expected) ++stale;
    }
  }

  Cluster& cluster_;
  std::mutex mutex_;
  std::vector<Answered> answered_;
  std::atomic<bool> ending_{false};
};

ClusterOptions cluster(const std::string& settle) {
  return {.settings = {{"cache.operations.update-contact.settle", settle}},
          .simulator = {"--latency", "0ms-2ms", "--index-lag", "200ms"}};
}

}  // namespace

TEST_SUITE("history") {
  TEST_CASE("no list or search is kept that the upstream's lagging index made from before a write") {
    Cluster replicas(cluster("500ms"));
    Lists lists(replicas);
    lists.run(full() ? 200 : 4);
    MESSAGE("lists: ", lists.reads.load(), " reads, ", lists.hits.load(), " hits, ", lists.stale.load(), " stale");
    CHECK(lists.stale == 0);
  }

  TEST_CASE("without a settle time stale lists are found") {
    Cluster replicas(cluster("0ms"));
    Lists lists(replicas);
    lists.run(3);
    MESSAGE("lists without settle time: ", lists.reads.load(), " reads, ", lists.stale.load(), " stale");
    CHECK(lists.stale > 0);
  }
}
