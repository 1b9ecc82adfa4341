// A busy gateway is given every kind of secret, and everything that others can see of it is read for each of them.
#include <csignal>
#include <filesystem>
#include <fstream>
#include <iterator>

#include "tests/end_to_end/oauth_world.h"
#include "tests/support/paths.h"
#include "tests/support/redis_server.h"

using namespace oauth_test;

namespace {

std::string whole(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

std::string word_in(const std::string& text, const std::string& start) {
  const auto at = text.find(start);
  return at == std::string::npos ? std::string() : text.substr(at, text.find_first_of(" \n", at) - at);
}

}  // namespace

TEST_SUITE("secrets") {
  TEST_CASE("no secret of a busy gateway is in its log, metrics, problem bodies, admin answers or /proc") {
    Process made({.arguments = {binary_dir() + "/contacts-gateway", "hash-key", "--generate"}});
    REQUIRE(made.wait_for_exit(kLimit) == 0);
    const auto key = word_in(made.output(Stream::Out), "cgk_"), hash = word_in(made.output(Stream::Out), "sha256:");
    const std::string redis_password = "redis-password-in-the-url", fixed = "pit-fixed-token-of-loc-b";
    RedisServer redis({.arguments = {"--requirepass", redis_password}, .auth = {redis_password}});
    Upstream upstream(
        {"--refresh-token", "seed-of-loc-a=loc_a", "--access-token-life", "2s", "--location", "loc_b=" + fixed});
    const TempDir folder;
    const auto file = [&](const std::string& name, const std::string& text) {
      return json_string(folder.write(name, text + "\n"));
    };
    const auto config =
        R"({"log":{"level":"debug"},"rate_limit":{"requests":100000,"interval":"1s"},"redis":{"url_file":)" +
        file("redis", redis.url(":" + redis_password + "@")) + R"(},"clients":[{"name":"one","key_hash":")" + hash +
        R"("}],"credentials":{"locations":{"loc_b":{"token_file":)" + file("fixed", fixed) +
        R"(}},"oauth":{"store":"redis","store_key_file":)" + file("store-key", kStoreKey) + R"(,"client_id":")" + kApp +
        R"(","client_secret_file":)" + file("client-secret", kSecret) + R"(,"refresh_token_file":)" +
        file("seed", "seed-of-loc-a") + "}}}";
    GatewayProcess gateway({.upstream = upstream.process.url(), .config_file = folder.write("gateway.json", config)});

    std::string seen;
    HttpClient client(gateway.address(), 60s);
    const auto ask = [&](const std::string& target, const std::string& with, HttpFields more = {}) {
      more.emplace_back("Authorization", "Bearer " + with);
      more.emplace_back("Cache-Control", "no-store");
      const auto answer = client.get(target, more);
      seen += answer.head + answer.body;
      return answer.status;
    };
    const std::string wrong = "cgk_a-wrong-key-that-a-client-sent-by-mistake";
    CHECK(ask(list_of("loc_a"), key) == 200);
    CHECK(ask(list_of("loc_b"), key) == 200);
    CHECK(ask(list_of("loc_b"), wrong) == 401);
    CHECK(ask(list_of("loc_c"), key) == 403);
    ask("/contacts/nobody?locationId=loc_a", key);
    ask("/nothing/here?token=" + key, key);
    CHECK(eventually(kLimit, [&] {
      ask(list_of("loc_a"), key);
      return refreshes(gateway, "refreshed") + refreshes(gateway, "adopted") >= 2;
    }));
    upstream.fault("/oauth/token", "status=500", 2);
    upstream.fault("/oauth/token", "garbage", 1);
    CHECK(eventually(kLimit, [&] { return refreshes(gateway, "failing") + refreshes(gateway, "no_answer") >= 3; }));
    gateway.process().signal(SIGHUP);
    redis.restart();
    upstream.post("revoke", "{}");
    ask(list_of("loc_a"), key, {{"Prefer", "wait=1"}});
    HttpClient(gateway.address()).get("/contacts/", {{"Authorization", "Basic " + kSecret}});

    HttpClient admin(gateway.admin_address());
    for (const char* path : {"/metrics", "/healthz", "/readyz", "/operations", "/nothing"})
      seen += admin.get(path).body;
    const std::filesystem::path process = "/proc/" + std::to_string(gateway.process().pid());
    for (const char* name : {"cmdline", "environ", "comm", "status"}) seen += whole(process / name);
    for (const auto& thread : std::filesystem::directory_iterator(process / "task"))
      seen += whole(thread.path() / "comm");
    gateway.process().signal(SIGTERM);
    REQUIRE(gateway.process().wait_for_exit(kLimit) == 0);
    seen += gateway.process().output(Stream::Error) + gateway.process().output(Stream::Out);
    CHECK(seen.find("token_refresh_failed") != std::string::npos);  // it did look there
    CHECK(seen.find("gateway_token_refreshes_total") != std::string::npos);

    for (const auto& secret : {key, wrong, hash, redis_password, fixed, kStoreKey, kSecret,
                               std::string("seed-of-loc-a"), std::string("access-"), std::string("refresh-")}) {
      CAPTURE(secret);
      CHECK(seen.find(secret) == std::string::npos);
    }
    // In Redis nothing of it is readable either.
    const auto kept = redis.command({"HGETALL", "cg:oauth:grants"});
    CHECK(kept.find("aes256gcm:") != std::string::npos);
    for (const auto& secret : {std::string("access-"), std::string("refresh-"), kSecret})
      CHECK(kept.find(secret) == std::string::npos);
  }
}
