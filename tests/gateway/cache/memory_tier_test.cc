#include "gateway/cache/memory_tier.h"

#include <doctest/doctest.h>

#include <atomic>
#include <chrono>
#include <string>
#include <thread>
#include <vector>

using gateway::cache::Entry;
using gateway::cache::Fence;
using gateway::cache::MemoryTier;

namespace {

constexpr std::uint64_t kMiB = 1024 * 1024;

std::shared_ptr<const Entry> entry(std::string body) { return Entry::make(200, {}, std::move(body)); }

std::string key_of(int number) { return "get-contact loc 2021-07-28 " + std::to_string(number); }

bool has(MemoryTier::Reader& worker, std::string_view key) { return static_cast<bool>(worker.find(key)); }

}  // namespace

TEST_SUITE("memory tier") {
  TEST_CASE("what was put is found, by workers and others, until it is removed") {
    MemoryTier tier(kMiB);
    MemoryTier::Reader worker(tier);
    CHECK_FALSE(has(worker, "a"));
    tier.put("a", entry("one"));
    tier.put("b", entry("two"));
    CHECK(worker.find("a")->body() == "one");
    CHECK(tier.find("b")->body() == "two");
    CHECK(tier.entries() == 2);
    tier.put("a", entry("three"));
    CHECK(worker.find("a")->body() == "three");
    CHECK(tier.entries() == 2);
    tier.remove("a");
    CHECK_FALSE(has(worker, "a"));
    CHECK(tier.find("a") == nullptr);
    tier.clear();
    CHECK(tier.entries() == 0);
    CHECK(tier.bytes() == 0);
  }

  TEST_CASE("head and body are the entry's own, a large body is not copied") {
    std::string small = "small", large(Entry::kOwnBody + 1, 'x');
    const char* const bytes = large.data();
    const std::shared_ptr<const Entry> near = Entry::make(200, "HTTP/1.1 200 OK\r\n", std::move(small));
    const std::shared_ptr<const Entry> far = Entry::make(404, "HTTP/1.1 404 Not Found\r\n", std::move(large));
    small = "else";
    CHECK(near->status() == 200);
    CHECK(near->head() == "HTTP/1.1 200 OK\r\n");
    CHECK(near->body() == "small");
    CHECK(*Entry::body_of(near) == "small");
    CHECK(far->status() == 404);
    CHECK(far->head() == "HTTP/1.1 404 Not Found\r\n");
    CHECK(far->body() == std::string(Entry::kOwnBody + 1, 'x'));
    CHECK(Entry::body_of(far)->data() == bytes);
    CHECK(Entry::make(200, {}, std::string())->body().empty());
  }

  TEST_CASE("an entry depends on each of its keys, on however many") {
    Fence fence;
    for (const std::size_t size : {std::size_t{5}, Entry::kOwnBody + 1})
      for (std::size_t count = 0; count < 9; ++count) {
        std::vector<std::string> keys;
        for (std::size_t i = 0; i < count; ++i) keys.push_back("contact:" + std::to_string(i));
        for (const auto& key : keys) {
          const auto kept = Entry::make(200, {}, std::string(size, 'x'));
          kept->depend_on(fence.guard(keys));
          fence.invalidate(std::vector<std::string>{"contact:other"});
          CHECK(kept->intact(fence));
          fence.invalidate(std::vector{key});
          CHECK_FALSE(kept->intact(fence));
          CHECK(kept->body() == std::string(size, 'x'));
        }
      }
    const auto of_nothing = Entry::make(200, {}, std::string("x"));
    of_nothing->depend_on(fence.guard({}));
    CHECK(of_nothing->intact(fence));
    fence.invalidate_all();
    CHECK_FALSE(of_nothing->intact(fence));
  }

  TEST_CASE("an entry says how it ages as it was told, up to what settings can ask for") {
    using namespace std::chrono_literals;
    const auto kept = Entry::make(200, {}, std::string("x"));
    CHECK(kept->lifetimes() == policies::Lifetimes{});
    const policies::Lifetimes longest{100 * 24h, 30 * 24h, 30 * 24h, 30 * 24h, true};
    kept->set_lifetimes(longest);
    CHECK(kept->lifetimes() == longest);
    kept->set_lifetimes({0ms, std::chrono::years(1'000), 1ms, -1ms, false});  // what only a shared tier could say
    CHECK(kept->lifetimes().fresh > 49 * 24h);
    CHECK(kept->lifetimes().fresh < 50 * 24h);
    CHECK(kept->lifetimes().stale_while_revalidate == 1ms);
    CHECK(kept->lifetimes().stale_if_error == 0ms);
    kept->received = 1s;
    kept->set_lifetimes({2s, 30s, 0s, 0s, false});
    CHECK(kept->decision(11s, {}).age == 12s);
    CHECK(kept->decision(11s, {}).ttl == 20s);
    CHECK(kept->decision(11s, {}).action == policies::Action::ServeFresh);
  }

  TEST_CASE("keys of every length are told apart, and one that no request makes is not kept") {
    MemoryTier tier(1024 * kMiB);
    MemoryTier::Reader worker(tier);
    for (std::size_t length = 0; length < 300; ++length)
      tier.put(std::string(length, 'k'), entry(std::to_string(length)));
    for (std::size_t length = 0; length < 300; ++length)
      CHECK(worker.find(std::string(length, 'k'))->body() == std::to_string(length));
    CHECK(tier.entries() == 300);
    CHECK_FALSE(has(worker, std::string(300, 'k')));
    CHECK_FALSE(tier.put(std::string(1 << 24, 'k'), entry("too long")));
    CHECK(tier.put(std::string((1 << 24) - 1, 'k'), entry("long")));
    for (std::size_t length = 0; length < 300; ++length) tier.remove(std::string(length, 'k'));
    CHECK(tier.entries() == 1);
    CHECK(worker.find(std::string((1 << 24) - 1, 'k'))->body() == "long");
    tier.clear();
    CHECK(tier.bytes() == 0);
  }

  TEST_CASE("an entry lives as long as a worker looks at it, and goes with the next change after that") {
    MemoryTier tier(kMiB);
    MemoryTier::Reader worker(tier);
    tier.put("a", entry("one"));
    const std::weak_ptr<const Entry> first = tier.find("a");
    {
      const auto view = worker.find("a");
      tier.put("a", entry("two"));
      tier.remove("a");
      CHECK(view->body() == "one");
      CHECK_FALSE(first.expired());
    }
    tier.put("b", entry("three"));
    CHECK(first.expired());
  }

  TEST_CASE("it keeps to its bytes, what is asked for stays, and what is too large is not kept") {
    MemoryTier tier(kMiB);
    MemoryTier::Reader worker(tier);
    for (int i = 0; i < 2'000; ++i) {
      tier.put(key_of(i), entry(std::string(1024, 'x')));
      CHECK(has(worker, key_of(0)));
    }
    CHECK(tier.bytes() <= kMiB);
    CHECK(tier.entries() > 500);
    CHECK(tier.evictions() == 2'000 - tier.entries());
    CHECK(has(worker, key_of(1'999)));
    CHECK_FALSE(tier.put(key_of(0), entry(std::string(kMiB / 4, 'x'))));
    CHECK_FALSE(has(worker, key_of(0)));
    CHECK(tier.bytes() <= kMiB);

    MemoryTier none(0);
    CHECK_FALSE(none.put("a", entry("")));
    CHECK(none.find("a") == nullptr);
  }

  TEST_CASE("what is removed by what it says is counted and gone for every reader, and the rest stays") {
    MemoryTier tier(kMiB);
    MemoryTier::Reader worker(tier);
    for (int i = 0; i < 10; ++i) CHECK(tier.put(key_of(i), entry(i % 2 == 0 ? "even" : "odd")));
    const auto even = [](const Entry& each) { return each.body() == "even"; };
    CHECK(tier.remove_if(even) == 5);
    CHECK(tier.remove_if(even) == 0);
    CHECK(tier.entries() == 5);
    for (int i = 0; i < 10; ++i) CHECK(has(worker, key_of(i)) == (i % 2 != 0));
    CHECK(tier.remove_if([](const Entry&) { return true; }) == 5);
    CHECK(tier.bytes() == 0);
  }

  TEST_CASE("what everybody asks for outlives a scan over what nobody asks for again") {
    MemoryTier tier(kMiB);
    MemoryTier::Reader worker(tier);
    for (int i = 0; i < 100; ++i) tier.put(key_of(i), entry(std::string(1024, 'x')));
    for (int i = 0; i < 100; ++i) CHECK(has(worker, key_of(i)));
    for (int i = 1'000; i < 1'600; ++i) tier.put(key_of(i), entry(std::string(1024, 'x')));
    int left = 0;
    for (int i = 0; i < 100; ++i) left += has(worker, key_of(i)) ? 1 : 0;
    CHECK(left == 100);
  }

  // A torn or freed entry shows as a body that is not of one letter, and under asan and tsan at once.
  TEST_CASE("workers read whole entries while others replace, evict and remove them") {
    MemoryTier tier(64 * 1024);
    std::atomic<bool> done{false};
    std::atomic<int> wrong{0};
    std::vector<std::thread> workers;
    for (int w = 0; w < 2; ++w)
      workers.emplace_back([&] {
        MemoryTier::Reader reader(tier);
        for (int i = 0; !done.load(std::memory_order_relaxed); ++i) {
          const auto view = reader.find(key_of(i % 97));
          if (view && view->body().find_first_not_of(view->body().front()) != std::string::npos) ++wrong;
        }
      });
    for (int i = 0; i < 20'000; ++i) {
      tier.put(key_of(i % 97),
               entry(std::string(500 + static_cast<std::size_t>(i % 7) * 100, static_cast<char>('a' + i % 26))));
      if (i % 50 == 0) tier.remove(key_of(i % 13));
      if (i % 5'000 == 0) tier.clear();
    }
    done = true;
    for (auto& worker : workers) worker.join();
    CHECK(wrong == 0);
    CHECK(tier.bytes() <= 64 * 1024);
  }
}
