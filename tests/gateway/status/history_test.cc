#include "gateway/status/history.h"

#include <doctest/doctest.h>

#include "gateway/metrics/families.h"
#include "gateway/metrics/metrics.h"

using gateway::metrics::CacheResult;
using gateway::metrics::Metrics;
using gateway::metrics::Tier;
using gateway::status::History;
using gateway::status::Steady;
using namespace std::chrono_literals;

namespace {

void record(Metrics& metrics, int count, CacheResult result, int status = 200, std::chrono::nanoseconds took = 40us) {
  for (int i = 0; i < count; ++i)
    metrics.request({.operation = 0,
                     .method = "GET",
                     .status = status,
                     .client = 0,
                     .cache = result,
                     .tier = Tier::None,
                     .duration = took});
}

}  // namespace

TEST_SUITE("status") {
  TEST_CASE("a point holds what was counted since the last one") {
    Metrics metrics({"get-contact"}, {});
    History history;
    const Steady start{};
    record(metrics, 5, CacheResult::Miss);
    CHECK_FALSE(history.add(metrics.totals(), 0, start, 100s).has_value());
    record(metrics, 3, CacheResult::Hit);
    record(metrics, 1, CacheResult::Miss, 502, 80ms);
    record(metrics, 2, CacheResult::Bypass, 429);
    metrics.upstream_request(0, 502, 70ms);
    metrics.upstream_saved();
    const auto point = history.add(metrics.totals(), 4, start + 2s, 102s);
    REQUIRE(point.has_value());
    CHECK(point->time == 102s);
    CHECK(point->seconds == doctest::Approx(2));
    CHECK(point->requests == 6);
    CHECK(point->errors == 1);
    CHECK(point->limited == 2);
    CHECK(point->from_cache == 3);
    CHECK(point->cacheable == 4);
    CHECK(point->upstream == 1);
    CHECK(point->saved == 1);
    CHECK(point->waiting == 4);
    CHECK(*point->p50 < 60us);
    CHECK(*point->p99 > 50ms);
    CHECK_FALSE(history.add(metrics.totals(), 0, start + 3s, 103s)->p50.has_value());
  }

  TEST_CASE("spans count to the second within a minute, to ten beyond, and the points are bounded") {
    Metrics metrics({"get-contact"}, {});
    History history;
    const Steady start{};
    for (int second = 0; second <= 400; ++second) {
      history.add(metrics.totals(), 0, start + std::chrono::seconds(second), std::chrono::seconds(second));
      if (second == 400) break;
      record(metrics, 1, CacheResult::Hit);
    }
    CHECK(history.last(10s).counted.requests == 10);
    CHECK(history.last(60s).counted.requests == 60);
    CHECK(history.last(60s).seconds == doctest::Approx(60));
    const auto five = history.last(300s);
    CHECK(five.counted.requests == doctest::Approx(300).epsilon(0.04));
    REQUIRE(five.counted.operations.size() == 2);
    CHECK(five.counted.operations[0].requests == five.counted.requests);
    CHECK(history.points().size() == History::kPoints);
  }

  TEST_CASE("a quantile lies within its bucket, as Prometheus computes it") {
    using gateway::metrics::Distribution;
    const auto bounds = gateway::metrics::request_bounds();
    Distribution none;
    CHECK_FALSE(none.quantile(0.5, bounds).has_value());
    Distribution one;
    one.buckets[2] = 4;  // 10 us to 25 us
    one.count = 4;
    CHECK(*one.quantile(0.5, bounds) == 17500ns);
    CHECK(*one.quantile(1.0, bounds) == 25us);
    one.buckets[bounds.size()] = 4;
    one.count = 8;
    CHECK(*one.quantile(0.99, bounds) == bounds.back());
  }
}
