// One table of tests for both stores: the records in the process and those in a real Redis.
#include "gateway/idempotency/claims.h"

#include <algorithm>
#include <asio/detached.hpp>
#include <random>

#include "gateway/idempotency/local_store.h"
#include "gateway/idempotency/redis_store.h"
#include "tests/gateway/redis/harness.h"

using namespace redis_test;
using namespace gateway::idempotency;
using policies::IdempotencyClaim;
using policies::IdempotencyStep;

namespace {

enum class Backend { Process, Redis };
constexpr Backend kBackends[] = {Backend::Process, Backend::Redis};

struct Rig {
  explicit Rig(Backend backend, policies::Duration lease = 5s, std::size_t most = LocalStore::kMost) {
    if (backend == Backend::Redis) {
      server.emplace();
      client.emplace(io, redis_test::options(server->url()));
      client->start();
      run(io, [this]() -> asio::awaitable<void> { REQUIRE(co_await client->connected(10s)); });
    }
    auto store = make_store(lease, most);
    raw = store.get();
    claims = std::make_shared<Claims>(io, std::move(store),
                                      [this](std::string_view result) { counted.emplace_back(result); });
    claims->start();
  }
  ~Rig() {
    claims->stop();
    if (client) client->stop();
  }
  std::unique_ptr<Store> make_store(policies::Duration lease, std::size_t most) {
    if (client) return std::make_unique<RedisStore>(*client, lease);
    return std::make_unique<LocalStore>([this] { counted.emplace_back("evicted"); }, most, lease);
  }
  asio::awaitable<ClaimResult> claim(std::string key, std::string body, std::chrono::milliseconds wait = 0ms) {
    Named named{std::move(key), "client:a", "POST", "/contacts/", "L", "v", std::make_shared<std::string>(body)};
    co_return co_await claims->claim(std::move(named), Clock::now() + wait);
  }
  asio::awaitable<std::shared_ptr<Held>> hold(std::string key, std::chrono::milliseconds wait = 0ms) {
    auto result = co_await claim(std::move(key), "body", wait);
    auto* held = std::get_if<std::shared_ptr<Held>>(&result);
    CHECK(held != nullptr);
    co_return held ? *held : nullptr;
  }

  std::optional<RedisServer> server;
  asio::io_context io;
  std::optional<Client> client;
  std::vector<std::string> counted;
  Store* raw = nullptr;
  std::shared_ptr<Claims> claims;
};

Answer created(std::string body) {
  Answer answer;
  answer.status = 201;
  answer.fields.add("Content-Type", "application/json");
  answer.fields.add("X-Twice", "1");
  answer.fields.add("x-twice", "2");
  answer.body = std::move(body);
  return answer;
}

template <typename T>
bool is(const ClaimResult& result) {
  return std::holds_alternative<T>(result);
}

}  // namespace

TEST_SUITE_BEGIN("idempotency");

TEST_CASE("a repeat gets the first answer byte for byte, also one that asked while the first was under way") {
  for (const auto backend : kBackends) {
    CAPTURE(static_cast<int>(backend));
    Rig rig(backend);
    const auto answer = created(std::string("\0\x01 bytes \r\n", 11) + std::string(5'000, 'x'));
    run(rig.io, [&]() -> asio::awaitable<void> {
      auto first = co_await rig.hold("k");
      std::optional<ClaimResult> waited;
      asio::co_spawn(
          rig.io, [&]() -> asio::awaitable<void> { waited = co_await rig.claim("k", "body", 10s); }, asio::detached);
      CHECK(is<InProgress>(co_await rig.claim("k", "body")));
      CHECK(is<Mismatch>(co_await rig.claim("k", "another")));
      CHECK(co_await first->about_to_send());
      co_await first->learn(answer);
      CHECK(is<InProgress>(co_await rig.claim("k", "body")));  // readers may not see the write yet
      co_await first->conclude();
      const auto repeat = co_await rig.claim("k", "body");
      REQUIRE(is<Answer>(repeat));
      CHECK(std::get<Answer>(repeat) == answer);
      const bool came = co_await until([&] { return waited.has_value(); });
      REQUIRE(came);
      REQUIRE(is<Answer>(*waited));
      CHECK(std::get<Answer>(*waited) == answer);
    });
    CHECK(std::count(rig.counted.begin(), rig.counted.end(), "replay") == 2);
  }
}

TEST_CASE("a key whose request surely had no effect is free again, one in doubt says so") {
  for (const auto backend : kBackends) {
    CAPTURE(static_cast<int>(backend));
    Rig rig(backend, 1'500ms);
    run(rig.io, [&]() -> asio::awaitable<void> {
      auto first = co_await rig.hold("k");
      co_await first->conclude();  // refused before it was sent
      auto second = co_await rig.hold("k");
      CHECK_FALSE(second->doubtful());
      CHECK(co_await second->about_to_send());
      co_await second->not_applied();
      second.reset();  // dropped without a word
      auto third = co_await rig.hold("k", 5s);
      CHECK_FALSE(third->doubtful());
      CHECK(co_await third->about_to_send());
      third.reset();
      auto fourth = co_await rig.hold("k", 5s);
      CHECK(fourth->doubtful());
      CHECK(fourth->since_sent() < 10s);
      CHECK(co_await fourth->about_to_send());
      co_await fourth->learn(created("found"));
      fourth.reset();  // its answer stays, for whoever ends the write
      auto fifth = co_await rig.hold("k", 10s);
      REQUIRE(fifth->learned().has_value());
      CHECK(fifth->learned()->body == "found");
      co_await fifth->conclude();
      CHECK(is<Answer>(co_await rig.claim("k", "body")));
    });
  }
}

TEST_CASE("an owner keeps its key as long as it lives; a dead one's is taken over, and it can no longer send") {
  for (const auto backend : kBackends) {
    CAPTURE(static_cast<int>(backend));
    Rig rig(backend, 1'500ms);  // renewed every second
    run(rig.io, [&]() -> asio::awaitable<void> {
      auto owner = co_await rig.hold("k");
      CHECK(is<InProgress>(co_await rig.claim("k", "body", 3s)));
      rig.claims->stop();  // as if this process stood still
      auto other = co_await rig.hold("k", 10s);
      CHECK_FALSE(other->doubtful());
      CHECK_FALSE(co_await owner->about_to_send());
      CHECK(co_await other->about_to_send());
    });
  }
}

TEST_CASE("equal keys of two clients are two keys") {
  Rig rig(Backend::Process);
  run(rig.io, [&]() -> asio::awaitable<void> {
    auto first = co_await rig.hold("k");
    auto others = co_await rig.claims->claim({"k", "client:b", "POST", "/contacts/", "L", "v", nullptr}, Clock::now());
    CHECK(is<std::shared_ptr<Held>>(others));
  });
}

TEST_CASE("without Redis the oldest settled keys make room, and those under way stay") {
  Rig rig(Backend::Process, 5s, 20'000);
  run(rig.io, [&]() -> asio::awaitable<void> {
    auto first = co_await rig.hold("under way");
    for (int i = 0; i < 20; ++i) {
      auto held = co_await rig.hold("k" + std::to_string(i));
      CHECK(co_await held->about_to_send());
      std::string body;
      for (int j = 0; j < 900; ++j) body += static_cast<char>('a' + (i * 31 + j * j * 7 + j) % 26);
      co_await held->learn(created(body));
      co_await held->conclude();
    }
    CHECK(is<Answer>(co_await rig.claim("k19", "body")));
    CHECK(is<InProgress>(co_await rig.claim("under way", "body")));
    CHECK(is<std::shared_ptr<Held>>(co_await rig.claim("k0", "body")));
  });
  CHECK(std::count(rig.counted.begin(), rig.counted.end(), "evicted") > 0);
}

TEST_CASE("with Redis away nothing is claimed or sent, and an answer learnt meanwhile is kept when it is back") {
  Rig rig(Backend::Redis);
  run(
      rig.io,
      [&]() -> asio::awaitable<void> {
        auto sent = co_await rig.hold("sent");
        CHECK(co_await sent->about_to_send());
        auto waiting = co_await rig.hold("waiting");
        rig.server->kill();
        CHECK(is<gateway::idempotency::Unavailable>(co_await rig.claim("new", "body")));
        CHECK_FALSE(co_await waiting->about_to_send());
        co_await sent->learn(created("kept"));
        co_await sent->conclude();
        rig.server->start();  // empty: only what the owners know is left
        std::optional<ClaimResult> repeat;
        for (const auto limit = Clock::now() + 15s; Clock::now() < limit; co_await pause_for(50ms)) {
          repeat = co_await rig.claim("sent", "body", 5s);
          if (is<Answer>(*repeat)) break;
          repeat.reset();
        }
        REQUIRE(repeat.has_value());
        CHECK(std::get<Answer>(*repeat).body == "kept");
      },
      40s);
}

TEST_CASE("both stores make the same steps") {
  Rig process(Backend::Process), redis(Backend::Redis);
  std::mt19937 random(7);
  const auto pick = [&](unsigned most) { return static_cast<int>(random() % most); };
  for (int i = 0; i < 400; ++i) {
    const Speaker speaker{"key" + std::to_string(pick(12)), "f" + std::to_string(pick(8) / 7),
                          "owner" + std::to_string(pick(2))};
    const bool claims = pick(3) == 0;
    const auto step = static_cast<IdempotencyStep>(pick(7));
    std::vector<std::string> outcomes;
    for (auto* rig : {&process, &redis})
      run(rig->io, [&]() -> asio::awaitable<void> {
        if (claims) {
          const auto claimed = co_await rig->raw->claim(speaker);
          REQUIRE(claimed.has_value());
          outcomes.push_back(std::string(to_string(claimed->claim)) + " " + claimed->answer);
        } else {
          const auto done = co_await rig->raw->advance(speaker, step, "a" + std::to_string(i));
          REQUIRE(done.has_value());
          outcomes.emplace_back(*done ? "done" : "refused");
        }
      });
    CAPTURE(i);
    CAPTURE(static_cast<int>(step));
    CHECK(outcomes[0] == outcomes[1]);
  }
}

TEST_SUITE_END();
