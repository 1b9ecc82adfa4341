// What holds of every store, and what each does for it: a file of this machine, and a real Redis.
#include <doctest/doctest.h>
#include <fcntl.h>
#include <sys/stat.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>

#include "gateway/token_store/file_store.h"
#include "gateway/token_store/redis_store.h"
#include "tests/gateway/redis/harness.h"
#include "tests/support/temp_dir.h"

using namespace gateway::token_store;
using namespace redis_test;
using gateway::config::Secret;
using test_support::TempDir;

namespace {

Grant grant(std::uint64_t version, const std::string& ended = "") {
  Grant grant;
  grant.id = "app/Location/loc";
  grant.client_id = "app";
  grant.subject = "loc";
  grant.access_token.value = "access-" + std::to_string(version);
  grant.refresh_token.value = "refresh-" + std::to_string(version);
  grant.version = version;
  grant.ended = ended;
  return grant;
}

Sealed key() { return Sealed(Secret{"a-key-of-more-than-thirty-two-characters", {}}); }

asio::awaitable<std::string> saved(Store& store, Grant what) {
  const auto result = co_await store.save(std::move(what));
  if (const auto* failure = std::get_if<Failure>(&result)) co_return failure->why;
  if (const auto* other = std::get_if<Superseded>(&result))
    co_return "superseded by " + std::to_string(other->stored.version);
  co_return "saved";
}

asio::awaitable<std::string> stored(Store& store) {
  const auto result = co_await store.load();
  if (const auto* failure = std::get_if<Failure>(&result)) co_return failure->why;
  std::string text;
  for (const auto& one : std::get<std::vector<Grant>>(result)) text += one.refresh_token.value + one.ended + " ";
  co_return text;
}

// `one` and `other` are two processes' stores of the same place.
void check_contract(asio::io_context& io, Store& one, Store& other) {
  run(io, [&]() -> asio::awaitable<void> {
    CHECK(co_await stored(one) == "");
    CHECK(co_await saved(one, grant(2)) == "saved");
    CHECK(co_await stored(other) == "refresh-2 ");
    CHECK(co_await saved(other, grant(1)) == "superseded by 2");
    CHECK(co_await saved(other, grant(2)) == "superseded by 2");
    CHECK(co_await saved(other, grant(2, "invalid_grant")) == "saved");
    CHECK(co_await saved(one, grant(2)) == "superseded by 2");
    CHECK(co_await saved(one, grant(3)) == "saved");  // who was given up has the next pair after all
    CHECK(co_await stored(other) == "refresh-3 ");

    auto right = co_await one.lock("app/Location/loc");
    REQUIRE(std::holds_alternative<Locked>(right));
    CHECK(std::get<Locked>(right).stored->version == 3);
    CHECK(std::holds_alternative<Busy>(co_await other.lock("app/Location/loc")));
    auto another = co_await other.lock("app/Location/another");
    REQUIRE(std::holds_alternative<Locked>(another));
    CHECK_FALSE(std::get<Locked>(another).stored);
    right = Busy{};  // given back
    const auto deadline = Clock::now() + 5s;
    bool got = false;
    while (!got && Clock::now() < deadline) {
      auto next = co_await other.lock("app/Location/loc");
      got = std::holds_alternative<Locked>(next);
      if (!got) co_await pause_for(5ms);
    }
    CHECK(got);
  });
}

std::string whole(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

RedisStore::Options quick() { return {.command = 5s, .lock_life = 300ms, .lock_renewal = 50ms, .rest = 0ms}; }

}  // namespace

TEST_SUITE_BEGIN("token_store");

TEST_CASE("a file keeps the contract between two that use it") {
  const TempDir folder;
  asio::io_context io;
  FileStore one(io, folder.path() / "tokens", key(), true), other(io, folder.path() / "tokens", key(), false);
  check_contract(io, one, other);
}

TEST_CASE("Redis keeps the contract between two replicas, a full one too") {
  for (const bool full : {false, true}) {
    CAPTURE(full);
    RedisServer server;
    if (full) {
      server.command({"CONFIG", "SET", "maxmemory-policy", "noeviction"});
      server.command({"CONFIG", "SET", "maxmemory", "1"});
    }
    Session session(options(server.url()));
    auto settings = quick();
    settings.lock_life = 10s;
    RedisStore one(session.io, session.client, key(), settings), other(session.io, session.client, key(), settings);
    check_contract(session.io, one, other);
  }
}

TEST_CASE("a file has one owner, is private, and tells who else has written it") {
  const TempDir folder;
  const auto path = folder.path() / "tokens";
  asio::io_context io;
  FileStore one(io, path, key(), true);
  ::unsetenv(FileStore::kLockFd);  // the other is no take-over of this one
  CHECK_THROWS_WITH_AS(FileStore(io, path, key(), true), doctest::Contains("another gateway uses"), std::runtime_error);
  FileStore authorize(io, path, key(), false);
  int changes = 0;
  one.start([&] { ++changes; });
  run(io, [&]() -> asio::awaitable<void> {
    CHECK(co_await saved(authorize, grant(1)) == "saved");
    CHECK(co_await until([&] { return changes == 1; }));
  });
  one.stop();
  struct stat found {};
  REQUIRE(::stat(path.c_str(), &found) == 0);
  CHECK((found.st_mode & 07777) == 0600);
  CHECK_FALSE(std::filesystem::exists(path.string() + ".new"));
}

TEST_CASE("a file that others may read is made private as soon as it is opened") {
  const TempDir folder;
  const auto path = folder.path() / "tokens";
  asio::io_context io;
  {
    FileStore store(io, path, key(), true);
    run(io, [&]() -> asio::awaitable<void> { CHECK(co_await saved(store, grant(1)) == "saved"); });
  }
  ::unsetenv(FileStore::kLockFd);
  std::filesystem::permissions(path, std::filesystem::perms(0644));
  FileStore again(io, path, key(), true);
  CHECK(std::filesystem::status(path).permissions() == std::filesystem::perms(0600));
}

TEST_CASE("what a crash left beside the file is taken where it is whole and later, and never else") {
  const TempDir folder;
  const auto path = folder.path() / "tokens", aside = folder.path() / "tokens.new";
  asio::io_context io;
  const auto write = [&](std::uint64_t version) {
    FileStore store(io, path, key(), true);
    run(io, [&]() -> asio::awaitable<void> { CHECK(co_await saved(store, grant(version)) == "saved"); });
    return whole(path);
  };
  const auto opened = [&] {
    FileStore store(io, path, key(), true);
    std::string text;
    run(io, [&]() -> asio::awaitable<void> { text = co_await stored(store); });
    return text;
  };
  const auto first = write(1), second = write(2);
  std::ofstream(path, std::ios::binary) << first;
  std::ofstream(aside, std::ios::binary) << second.substr(0, second.size() - 5);  // cut off
  CHECK(opened() == "refresh-1 ");
  CHECK_FALSE(std::filesystem::exists(aside));
  std::ofstream(aside, std::ios::binary) << second;
  CHECK(opened() == "refresh-2 ");
  CHECK(whole(path) == second);
  std::ofstream(aside, std::ios::binary) << first;  // from before
  CHECK(opened() == "refresh-2 ");
}

TEST_CASE("a file that is not a store, a folder that is not there and a wrong key are told of at once") {
  const TempDir folder;
  asio::io_context io;
  const auto text = folder.write("tokens", "{\"format\":\"something else\"}");
  CHECK_THROWS_WITH_AS(FileStore(io, text, key(), true), doctest::Contains("is not a token store"), std::runtime_error);
  CHECK(whole(text) == "{\"format\":\"something else\"}");
  CHECK_THROWS_WITH_AS(FileStore(io, "/nowhere/tokens", key(), true),
                       doctest::Contains("/nowhere/tokens.lock cannot be opened"), std::runtime_error);
  const auto path = folder.path() / "good";
  {
    FileStore store(io, path, key(), true);
    run(io, [&]() -> asio::awaitable<void> { CHECK(co_await saved(store, grant(1)) == "saved"); });
  }
  CHECK_THROWS_WITH_AS(FileStore(io, path, Sealed(Secret{"another-key-of-more-than-32-characters", {}}), true),
                       doctest::Contains("store_key is not the key"), std::runtime_error);
}

TEST_CASE("a lock in Redis lives as long as its holder renews it, and not longer") {
  RedisServer server;
  Session session(options(server.url()));
  RedisStore other(session.io, session.client, key(), quick());
  {
    asio::io_context dying;  // another process
    auto client = std::make_unique<Client>(dying, options(server.url()));
    client->start();
    auto holder = std::make_unique<RedisStore>(dying, *client, key(), quick());
    LockResult right = Busy{};
    run(dying, [&]() -> asio::awaitable<void> {
      CHECK(co_await client->connected(5s));
      right = co_await holder->lock("id");
      co_await pause_for(700ms);  // more than twice the lock's life
    });
    REQUIRE(std::holds_alternative<Locked>(right));
    run(session.io, [&]() -> asio::awaitable<void> { CHECK(std::holds_alternative<Busy>(co_await other.lock("id"))); });
    holder->stop();  // its process is killed: nothing is given back
  }
  run(session.io, [&]() -> asio::awaitable<void> {
    const auto deadline = Clock::now() + 10s;
    bool got = false;
    while (!got && Clock::now() < deadline) {
      const auto next = co_await other.lock("id");
      got = std::holds_alternative<Locked>(next);
      if (!got) co_await pause_for(10ms);
    }
    CHECK(got);
  });
}

TEST_CASE("after Redis has restarted nobody gets the right for a while, so that what it has lost can be put back") {
  RedisServer server;
  Session session(options(server.url()));
  auto settings = quick();
  settings.rest = 400ms;
  RedisStore store(session.io, session.client, key(), settings);
  int changes = 0;
  store.start([&] { ++changes; });
  const auto got = [&]() -> asio::awaitable<bool> {
    auto right = co_await store.lock("id");
    co_return std::holds_alternative<Locked>(right);
  };
  run(session.io, [&]() -> asio::awaitable<void> {
    CHECK(co_await until([&] { return changes > 0; }));  // subscribed
    CHECK_FALSE(co_await got());
    const auto deadline = Clock::now() + 10s;
    while (!co_await got() && Clock::now() < deadline) co_await pause_for(10ms);
    CHECK(co_await saved(store, grant(5)) == "saved");
  });
  const int before = changes;
  server.restart();  // empty
  run(session.io, [&]() -> asio::awaitable<void> {
    CHECK(co_await until([&] { return changes > before && session.client.status().up; }));
    CHECK_FALSE(co_await got());
    CHECK(co_await stored(store) == "");
    CHECK(co_await saved(store, grant(5)) == "saved");  // put back
    CHECK(co_await saved(store, grant(4)) == "superseded by 5");
  });
  server.kill();
  run(session.io, [&]() -> asio::awaitable<void> {
    CHECK(co_await until([&] { return !session.client.status().up; }));
    CHECK((co_await saved(store, grant(6))).find("Redis, which keeps the tokens, is away") == 0);
    CHECK(std::holds_alternative<Failure>(co_await store.lock("id")));
  });
}

TEST_SUITE_END();
