#include "gateway/cache/local_tier.h"

#include "gateway/random.h"
#include "tests/gateway/redis/harness.h"

using namespace redis_test;
using gateway::cache::Fence;
using gateway::cache::LocalTier;

TEST_SUITE("local tier") {
  TEST_CASE("a process that only writes does not keep what it wrote for ever") {
    asio::io_context io;
    Fence fence;
    LocalTier tier(fence, {});
    run(io, [&]() -> asio::awaitable<void> {
      for (int i = 0; i < 30'000; ++i) {
        const auto write = gateway::random_id();
        const std::string key = "contact:" + std::to_string(i);
        const auto begun = co_await tier.begin({key}, write);
        co_await tier.end({{key, {}}}, write, begun->epoch);
      }
    });
    CHECK(tier.known_keys() <= 2'001);
  }
}
