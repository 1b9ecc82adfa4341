// RedisTier's lookup against a real Redis: what it finds by plain commands, and everything that must not be found so.
#include <doctest/doctest.h>

#include <asio/use_awaitable.hpp>
#include <string>
#include <vector>

#include "gateway/cache/codec.h"
#include "gateway/cache/redis_tier.h"
#include "tests/gateway/redis/harness.h"

namespace {

using gateway::cache::Found;
using gateway::cache::LookedFor;
using gateway::cache::StoredEntry;
using namespace redis_test;

struct Tier {
  explicit Tier(std::chrono::milliseconds timeout = 5s) : timeout_(timeout) {}
  Options quick() const {
    auto given = options(server.url());
    given.timeout = timeout_;
    given.stall_timeout = 5s;
    return given;
  }
  const std::chrono::milliseconds timeout_;
  RedisServer server;
  Session session{quick()};
  gateway::cache::Fence fence;
  gateway::cache::RedisTier tier{session.io, session.client, fence, {{}, timeout_, "r1", {}, {}}};
  const std::string key = "get-contact loc 2021-07-28 a";
  const std::vector<std::string> surrogates{"contact:a", "location:loc:contacts"};

  Found look_up() {
    std::optional<Found> out;
    const bool asked = tier.look_up_for(
        {std::make_shared<const std::string>(key), std::make_shared<const std::vector<std::string>>(surrogates)},
        [&](Found found) { out = std::move(found); });
    REQUIRE(asked);
    CHECK_FALSE(out.has_value());  // never from within
    run(session.io, [&]() -> asio::awaitable<void> {
      const bool answered = co_await until([&] { return out.has_value(); });
      REQUIRE(answered);
    });
    return std::move(*out);
  }

  void store() {
    auto found = look_up();
    REQUIRE(found.available);
    REQUIRE(found.claimed);
    auto entry = std::make_shared<StoredEntry>();
    entry->status = 200;
    entry->head = "HTTP/1.1 200 OK\r\nETag: \"1\"\r\nContent-Length: 4\r\n";
    entry->body = "body";
    entry->epoch = found.view.epoch;
    for (std::size_t i = 0; i < surrogates.size(); ++i)
      entry->generations.emplace_back(surrogates[i], found.view.generations[i]);
    entry->stored_at_ms = found.now.count();
    entry->fresh_ms = entry->keep_ms = 60'000;
    run(session.io, [&]() -> asio::awaitable<void> { co_await tier.finish(key, found, entry); });
    server.command({"HSET", "cg:epoch", "until", "99999999999999"});  // a lease that lasts as long as the test
  }

  // Lookups that found it, until they go without the script.
  void make_likely() {
    for (int i = 0; i < 10; ++i) REQUIRE(look_up().entry.has_value());
    REQUIRE(scripts_of([&] { REQUIRE(look_up().entry.has_value()); }) == 0);
  }

  template <typename Act>
  std::int64_t scripts_of(Act act) {
    return calls_of("evalsha", act);
  }
  template <typename Act>
  std::int64_t calls_of(const std::string& command, Act act) {
    const auto count = [&] {
      const auto text = server.command({"INFO", "commandstats"});
      const std::string name = "cmdstat_" + command + ":calls=";
      const auto at = text.find(name);
      return at == std::string::npos ? 0 : std::stoll(text.substr(at + name.size()));
    };
    const auto before = count();
    act();
    return count() - before;
  }
};

}  // namespace

TEST_SUITE("redis look-up") {
  TEST_CASE("what is there is found by plain commands after a few finds, and looks the same") {
    Tier tier;
    tier.store();
    const auto by_script = tier.look_up();
    tier.make_likely();
    const auto plain = tier.look_up();
    REQUIRE(by_script.entry.has_value());
    REQUIRE(plain.entry.has_value());
    CHECK(plain.entry->entry->head() == by_script.entry->entry->head());
    CHECK(plain.entry->entry->body() == "body");
    CHECK(plain.entry->entry->lifetimes() == by_script.entry->entry->lifetimes());
    CHECK(plain.entry->entry->lifetimes().fresh == 60s);
    CHECK(plain.entry->stored_at == by_script.entry->stored_at);
    const Found copied = plain;  // of a batch each has its own: who is given it sets its guard
    CHECK(copied.entry->entry != plain.entry->entry);
    CHECK(copied.entry->entry->body() == "body");
    CHECK(copied.entry->entry->lifetimes().fresh == 60s);
    CHECK(plain.view.epoch == by_script.view.epoch);
    CHECK(plain.view.generations == by_script.view.generations);
    CHECK(plain.view.marks.empty());
    CHECK(plain.available);
    CHECK_FALSE(plain.claimed);
    CHECK(plain.now >= by_script.now);
  }

  TEST_CASE("lookups of one turn share a round, and each finds its own") {
    Tier tier;
    tier.store();
    tier.make_likely();
    constexpr std::size_t kMany = 100;  // more than a round takes
    std::vector<std::optional<Found>> found(kMany);
    const auto ask = [&] {
      for (std::size_t i = 0; i < kMany; ++i)
        REQUIRE(tier.tier.look_up_for(
            {std::make_shared<const std::string>(i == 0 ? tier.key : tier.key + std::to_string(i)),
             std::make_shared<const std::vector<std::string>>(tier.surrogates)},
            [&found, i](Found one) { found[i] = std::move(one); }));
      run(tier.session.io, [&]() -> asio::awaitable<void> {
        const bool answered = co_await until(
            [&] { return std::all_of(found.begin(), found.end(), [](const auto& one) { return one.has_value(); }); });
        REQUIRE(answered);
      });
    };
    const auto stored = tier.server.command({"HGET", "cg:e:" + tier.key, "d"});
    const auto value = stored.substr(stored.find("\r\n") + 2);
    for (std::size_t i = 1; i < kMany; i += 2)
      tier.server.command({"HSET", "cg:e:" + tier.key + std::to_string(i), "d", value.substr(0, value.size() - 2)});
    CHECK(tier.calls_of("time", [&] { CHECK(tier.calls_of("persist", ask) == 2); }) >= 2);
    for (std::size_t i = 0; i < kMany; ++i) {
      CAPTURE(i);
      CHECK(found[i]->available);
      CHECK(found[i]->entry.has_value() == (i == 0 || i % 2 == 1));
      CHECK(found[i]->claimed == (i != 0 && i % 2 == 0));
    }
  }

  TEST_CASE("what must not be served is not found, and the script says why") {
    Tier tier;
    tier.store();
    tier.make_likely();
    Found found;
    const auto falls_back = [&] { CHECK(tier.scripts_of([&] { found = tier.look_up(); }) == 1); };
    SUBCASE("a write is under way") {
      tier.server.command({"HSET", "cg:s:contact:a", "m:77", "99999999999999"});
      falls_back();
      CHECK(found.view.marks == std::vector<std::uint64_t>{77});
    }
    SUBCASE("a write has ended") {
      tier.server.command({"HSET", "cg:s:location:loc:contacts", "g", "5"});
      falls_back();
      CHECK(found.view.generations.back() == 5);
      CHECK(found.claimed);
    }
    SUBCASE("a generation was evicted") {
      tier.server.command({"DEL", "cg:s:contact:a"});
      falls_back();
      CHECK(found.view.generations.front() != 0);
    }
    SUBCASE("the epoch was evicted") {
      tier.server.command({"DEL", "cg:epoch"});
      falls_back();
    }
    SUBCASE("the epoch is another server's") {
      tier.server.command({"HSET", "cg:epoch", "run", "another"});
      falls_back();
    }
    SUBCASE("the epoch is a new one, by the same server, and the generations are what they were") {
      tier.server.command({"HSET", "cg:epoch", "epoch", "4711"});
      falls_back();
      CHECK(found.view.epoch == 4711);
    }
    SUBCASE("the epoch's record has lost its epoch") {
      tier.server.command({"HDEL", "cg:epoch", "epoch"});
      falls_back();
    }
    SUBCASE("every lease is over") {
      tier.server.command({"HSET", "cg:epoch", "until", "1"});
      falls_back();
    }
    SUBCASE("the entry was evicted") {
      tier.server.command({"DEL", "cg:e:" + tier.key});
      falls_back();
      CHECK(found.claimed);
    }
    SUBCASE("the entry is an answer kept for an Idempotency-Key") {
      StoredEntry other;
      other.status = 200;
      tier.server.command({"HSET", "cg:e:" + tier.key, "d", gateway::cache::encode(other)});
      falls_back();
    }
    SUBCASE("the entry is not ours") {
      tier.server.command({"HSET", "cg:e:" + tier.key, "d", "something"});
      falls_back();
    }
    CHECK(found.available);
    CHECK_FALSE(found.entry.has_value());
  }

  TEST_CASE("a server that is no master any more is not believed, and left") {
    Tier tier;
    tier.store();
    tier.make_likely();
    const auto connects = tier.session.client.status().connects;
    tier.server.command({"CONFIG", "SET", "replica-serve-stale-data", "yes"});
    tier.server.command({"REPLICAOF", "127.0.0.1", "1"});
    const auto found = tier.look_up();
    CHECK_FALSE(found.available);
    CHECK_FALSE(found.entry.has_value());
    run(tier.session.io, [&]() -> asio::awaitable<void> {
      const auto& status = tier.session.client.status();
      const bool left = co_await until([&] { return !status.up || status.connects > connects; });
      CHECK(left);
    });
  }

  TEST_CASE("a Redis that does not answer costs the limit, whichever way it was asked, and nothing is found") {
    Tier tier;
    tier.store();
    tier.make_likely();
    tier.server.pause();
    gateway::cache::RedisTier quick{tier.session.io, tier.session.client, tier.fence, {{}, 20ms, "r2", {}, {}}};
    std::optional<Found> out;
    quick.look_up_for({std::make_shared<const std::string>(tier.key),
                       std::make_shared<const std::vector<std::string>>(tier.surrogates)},
                      [&](Found found) { out = std::move(found); });
    // While it is under way, who comes for the same waits for it.
    CHECK_FALSE(quick.look_up_for({std::make_shared<const std::string>(tier.key),
                                   std::make_shared<const std::vector<std::string>>(tier.surrogates)},
                                  [](const Found&) {}));
    run(tier.session.io, [&]() -> asio::awaitable<void> {
      const bool answered = co_await until([&] { return out.has_value(); });
      REQUIRE(answered);
    });
    tier.server.resume();
    CHECK_FALSE(out->available);
    CHECK_FALSE(out->entry.has_value());
    CHECK_FALSE(out->claimed);
  }

  TEST_CASE("nobody waits for a Redis that stands still but who asked before that showed; its next reply ends it") {
    Tier tier(200ms);
    tier.server.pause();
    const auto timed = [&] {
      const auto began = Clock::now();
      CHECK_FALSE(tier.look_up().available);
      return Clock::now() - began;
    };
    CHECK(timed() >= 200ms);
    for (int i = 0; i < 3; ++i) CHECK(timed() < 200ms);
    tier.server.resume();
    run(tier.session.io, [&]() -> asio::awaitable<void> {
      const bool speaks = co_await until([&] { return !tier.session.client.silent(); });
      CHECK(speaks);
    });
    CHECK(tier.look_up().available);
  }

  TEST_CASE("one who waits for another's fetch is told of its end, and nobody else is") {
    Tier tier;
    gateway::cache::RedisTier other{tier.session.io, tier.session.client, tier.fence, {{}, 5s, "r2", {}, {}}};
    std::vector<std::string> told;
    tier.session.client.subscribe({"cg:done"}, [&](std::string_view, std::string_view key) { told.emplace_back(key); });
    const auto claim = [&] {
      const auto found = tier.look_up();
      REQUIRE(found.claimed);
      return found;
    };
    run(tier.session.io, [&]() -> asio::awaitable<void> {
      const bool subscribed = co_await until([&] { return !told.empty(); });
      REQUIRE(subscribed);
    });
    told.clear();
    auto found = claim();
    run(tier.session.io, [&]() -> asio::awaitable<void> { co_await tier.tier.finish(tier.key, found, nullptr); });
    found = claim();  // the right was given back
    run(tier.session.io, [&]() -> asio::awaitable<void> {
      for (int i = 0; i < 3; ++i) {
        const auto second = co_await other.look_up(tier.key, tier.surrogates);
        CHECK_FALSE(second.leads);
        CHECK_FALSE(second.claimed);
      }
      co_await tier.tier.finish(tier.key, found, nullptr);
      const bool heard = co_await until([&] { return !told.empty(); });
      CHECK(heard);
    });
    CHECK(told == std::vector<std::string>{tier.key});  // of the first landing nobody was told
    CHECK(claim().leads);
  }

  TEST_CASE("one who waits for another's fetch does not wait on once Redis is away") {
    for (const bool killed : {false, true}) {
      CAPTURE(killed);
      Tier tier(20ms);
      run(tier.session.io, [&]() -> asio::awaitable<void> {
        const auto waited = [&]() -> asio::awaitable<Clock::duration> {
          const auto began = Clock::now();
          co_await tier.tier.wait_for_other(tier.key, 10s);
          co_return Clock::now() - began;
        };
        CHECK(co_await waited() >= 200ms);
        killed ? tier.server.kill() : tier.server.pause();
        CHECK(unavailable(co_await tier.session.client.command({"PING"})).has_value());
        CHECK(co_await waited() < 150ms);
      });
      if (!killed) tier.server.resume();
    }
  }
}
