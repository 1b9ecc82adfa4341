// The coherence contract's steps exist twice: as policies::coherence::Ledger, which tests/model drives through every
// interleaving, and as the Lua scripts that Redis runs. Here both do the same random steps by the same clock, and every
// answer must be the same but for the random ids, which must correspond one to one.
#include "gateway/cache/scripts.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cstdlib>
#include <map>
#include <random>
#include <string>
#include <vector>

#include "gateway/cache/log_message.h"
#include "policies/ledger.h"
#include "tests/gateway/redis/harness.h"

namespace {

using namespace policies::coherence;
using gateway::cache::netstrings;
using gateway::cache::number_of;
using gateway::cache::parse_netstrings;
using gateway::cache::scripts::ScriptPtr;
namespace scripts = gateway::cache::scripts;

// With the test's clock in place of Redis' own.
ScriptPtr clocked(const ScriptPtr& script) {
  const std::string own = "redis.call('TIME')",
                    ours = "{redis.call('GET', 'test:seconds'), redis.call('GET', 'test:microseconds')}";
  auto source = script->source;
  const auto at = source.find(own);
  REQUIRE(at != std::string::npos);
  return std::make_shared<const gateway::redis::Script>(
      gateway::redis::Script{script->name, source.replace(at, own.size(), ours)});
}

struct Pair {
  redis_test::RedisServer server;
  asio::io_context io;
  gateway::redis::Client client{io, redis_test::options(server.url())};
  Timing timing;
  Ledger ledger{timing};
  std::mt19937 random{20};
  Milliseconds now{1'000'000};
  int run_id = 1;
  std::uint64_t ids = 1'000'000, ledger_ids = 0;
  std::map<std::uint64_t, std::uint64_t> ledgers, scripts_;  // script id <-> ledger id
  struct Replica {
    Follower::Report script, ledger;
  };
  std::map<std::string, Replica> replicas{{"r1", {}}, {"r2", {}}, {"r3", {}}};
  struct Under {
    std::vector<std::string> keys;
    WriteId id = 0;
    Epoch script = 0, ledger = 0;
  };
  std::vector<Under> writes;
  std::map<std::string, int> seen;  // what was met at all

  Pair() {
    client.start();
    redis_test::run(
        io, [this]() -> asio::awaitable<void> { REQUIRE(co_await client.connected(std::chrono::seconds(10))); });
    tell_time();
  }
  ~Pair() { client.stop(); }

  std::string run() const { return "run" + std::to_string(run_id); }
  std::string fresh() { return std::to_string(++ids); }
  Ids draw() {
    return [this] { return ++ledger_ids; };
  }
  void tell_time() {
    server.command({"MSET", "test:seconds", std::to_string(now.count() / 1000), "test:microseconds",
                    std::to_string(now.count() % 1000 * 1000)});
  }
  gateway::redis::Array eval(const ScriptPtr& script, const std::vector<std::string>& surrogates,
                             std::vector<std::string> arguments, std::size_t extra_keys = 0) {
    std::vector<std::string> keys{"cg:epoch", "cg:log"};
    for (std::size_t i = 0; i < extra_keys; ++i) keys.push_back("test:none" + std::to_string(i));
    for (const auto& surrogate : surrogates) keys.push_back("cg:s:" + surrogate);
    gateway::redis::Array out;
    redis_test::run(io, [&]() -> asio::awaitable<void> {
      auto result = co_await client.eval(clocked(script), keys, arguments);
      auto* value = std::get_if<gateway::redis::Value>(&result);
      REQUIRE(value != nullptr);
      if (auto* error = std::get_if<gateway::redis::Error>(&value->data)) FAIL(error->message);
      if (auto* array = std::get_if<gateway::redis::Array>(&value->data))
        out = std::move(*array);
      else
        out.push_back(std::move(*value));
    });
    return out;
  }

  void same_id(std::uint64_t script, std::uint64_t of_ledger) {
    CHECK(ledgers.emplace(script, of_ledger).first->second == of_ledger);
    CHECK(scripts_.emplace(of_ledger, script).first->second == script);
  }

  std::vector<std::string> some_keys() {
    std::vector<std::string> keys;
    for (const char* key : {"contact:1", "contact:2", "location:1:contacts"})
      if (random() % 2 == 0) keys.emplace_back(key);
    if (keys.empty()) keys.emplace_back("contact:1");
    return keys;
  }

  void look_up() {
    const auto keys = some_keys();
    const auto reply = eval(scripts::look_up(), keys, {run(), fresh(), "", fresh()}, 2);
    const auto view = ledger.look_up(keys, run(), now, draw());
    REQUIRE(reply.size() >= 4 + keys.size());
    same_id(number_of(reply[0]), view.epoch);
    CHECK(number_of(reply[1]) == static_cast<std::uint64_t>(now.count()));
    for (std::size_t i = 0; i < keys.size(); ++i) same_id(number_of(reply[4 + i]), view.generations[i]);
    std::vector<WriteId> marks;
    for (std::size_t i = 4 + keys.size(); i < reply.size(); ++i) marks.push_back(number_of(reply[i]));
    std::sort(marks.begin(), marks.end());
    marks.erase(std::unique(marks.begin(), marks.end()), marks.end());
    CHECK(marks == view.marks);
    if (!marks.empty()) ++seen["a lookup with marks"];
  }

  // The epoch, the position, the age and the replicas to wait for.
  void same_begun(const gateway::redis::Array& reply, const Write::Begun& begun) {
    REQUIRE(reply.size() >= 3);
    same_id(number_of(reply[0]), begun.epoch);
    CHECK(number_of(reply[1]) == begun.position);
    CHECK(number_of(reply[2]) == static_cast<std::uint64_t>(begun.epoch_age.count()));
    std::vector<std::string> live;
    for (std::size_t i = 3; i < reply.size(); ++i) live.push_back(std::get<std::string>(reply[i].data));
    std::sort(live.begin(), live.end());
    CHECK(live == begun.live);
    if (live.size() > 1) ++seen["replicas to wait for"];
  }

  void begin() {
    Under write{some_keys(), ++ids, 0, 0};
    std::vector<std::string> arguments{run(),
                                       fresh(),
                                       std::to_string(write.id),
                                       std::to_string(timing.mark().count()),
                                       "86400000",
                                       netstrings(write.keys)};
    for (std::size_t i = 0; i < write.keys.size(); ++i) arguments.push_back(fresh());
    const auto reply = eval(scripts::begin(), write.keys, arguments);
    const auto begun = ledger.begin(write.keys, write.id, run(), now, draw());
    same_begun(reply, begun);
    write.script = number_of(reply[0]);
    write.ledger = begun.epoch;
    writes.push_back(std::move(write));
  }

  void end() {
    if (writes.empty()) return;
    const auto which = random() % writes.size();
    const auto write = writes[which];
    writes.erase(writes.begin() + static_cast<std::ptrdiff_t>(which));
    std::vector<std::string> arguments{run(), fresh(), std::to_string(write.id), std::to_string(write.script)};
    std::vector<Ledger::Key> keys;
    for (const auto& key : write.keys) {
      keys.push_back({key, Milliseconds(random() % 3 == 0 ? 2'000 : 0)});
      arguments.push_back(std::to_string(keys.back().keep.count()));
    }
    const auto reply = eval(scripts::end(), write.keys, arguments);
    const bool held = ledger.end(keys, write.id, write.ledger, run(), now, draw());
    REQUIRE(reply.size() == 1);
    CHECK((number_of(reply[0]) == 1) == held);
    ++seen[held ? "marks held" : "marks lost"];
  }

  void report() {
    auto& [name, replica] = *std::next(replicas.begin(), static_cast<std::ptrdiff_t>(random() % replicas.size()));
    const auto reply =
        eval(scripts::report(), {},
             {run(), fresh(), name, std::to_string(replica.script.epoch), std::to_string(replica.script.position),
              std::to_string(timing.lease.count()), std::to_string(timing.grace.count())});
    const auto reported = ledger.report(name, replica.ledger, run(), now, draw());
    REQUIRE(reply.size() >= 4);
    same_id(number_of(reply[0]), reported.epoch);
    CHECK((number_of(reply[1]) == 1) == reported.renewed);
    CHECK((number_of(reply[2]) == 1) == reported.cut);
    CHECK(number_of(reply[3]) == reported.end);
    REQUIRE(reply.size() == 4 + 2 * reported.missed.size());
    for (std::size_t i = 0; i < reported.missed.size(); ++i) {
      CHECK(number_of(reply[4 + 2 * i]) == reported.missed[i].position);
      CHECK(parse_netstrings(std::get<std::string>(reply[5 + 2 * i].data)) == reported.missed[i].keys);
    }
    ++seen[reported.cut ? "a cut" : reported.renewed ? "a renewal" : "a report too late"];
    // Some fall behind: they take only a part of what they missed.
    const auto reached =
        reported.cut ? reported.end : replica.ledger.position + random() % (reported.missed.size() + 1);
    replica.script = {number_of(reply[0]), reached};
    replica.ledger = {reported.epoch, reached};
  }

  void leave() {
    const auto name = std::next(replicas.begin(), static_cast<std::ptrdiff_t>(random() % replicas.size()))->first;
    eval(scripts::leave(), {}, {run(), fresh(), name});
    ledger.leave(name, run(), now, draw());
  }

  void disturb() {
    switch (random() % 6) {
      case 0: {
        const auto key = some_keys().front();
        server.command({"DEL", "cg:s:" + key});
        return ledger.evict_key(key);
      }
      case 1:
        server.command({"DEL", "cg:log"});
        return ledger.evict_log();
      case 2:
        server.command({"DEL", "cg:epoch"});
        return ledger.evict_epoch();
      case 3:
        ++run_id;
        return;
      case 4: {
        const auto reply = eval(scripts::renew_epoch(), {}, {run(), fresh()});
        return same_begun(reply, ledger.renew_epoch(run(), now, draw()));
      }
      default:
        return leave();
    }
  }

  void step() {
    const auto what = random() % 100;
    if (what < 25)
      look_up();
    else if (what < 45)
      begin();
    else if (what < 60)
      end();
    else if (what < 88)
      report();
    else if (what < 97) {
      now += Milliseconds(std::array{1, 100, 450, 900, 3'100, 70'000}[random() % (random() % 8 == 0 ? 6 : 4)]);
      tell_time();
    } else {
      disturb();
    }
  }
};

}  // namespace

TEST_CASE("the scripts do in Redis what the model's ledger does") {
  Pair pair;
  const int steps = std::getenv("GATEWAY_TEST_FULL") != nullptr ? 100'000 : 3'000;
  for (int i = 0; i < steps; ++i) {
    CAPTURE(i);
    pair.step();
  }
  for (const char* met : {"a lookup with marks", "replicas to wait for", "marks held", "marks lost", "a cut",
                          "a renewal", "a report too late"})
    CHECK_MESSAGE(pair.seen[met] > 0, met);
}
