// `contacts-gateway check --connect` as a script uses it: what it says of a deployment, and its exit codes.
#include <csignal>

#include "tests/end_to_end/oauth_world.h"
#include "tests/support/certificates.h"
#include "tests/support/paths.h"
#include "tests/support/redis_server.h"

using namespace oauth_test;

namespace {

struct Said {
  int code = -1;
  std::string text;
  bool has(const std::string& part) const { return text.find(part) != std::string::npos; }
};

Said check(const std::string& upstream, const std::string& config_file, std::vector<std::string> settings = {}) {
  settings.push_back("GATEWAY_CONFIG=" + config_file);
  settings.push_back("GATEWAY_UPSTREAM_URL=" + upstream);
  Process process({.arguments = {binary_dir() + "/contacts-gateway", "check", "--connect"},
                   .environment = std::move(settings),
                   .unset_prefix = "GATEWAY_"});
  const auto code = process.wait_for_exit(kLimit);
  return {code.value_or(-1), process.output(Stream::Out) + process.output(Stream::Error)};
}

}  // namespace

TEST_SUITE("check") {
  TEST_CASE(
      "check --connect tells of stored tokens, Redis and webhook keys, spends no refresh token, and its code says what "
      "failed") {
    Upstream upstream({"--refresh-token", "seed-a=loc_a"});
    RedisServer redis({.arguments = {"--appendonly", "yes"}});
    const TempDir folder;
    const auto key = Json(upstream.control.get("/_simulator/webhooks").body).text("public_key");
    const auto with = [&](const RedisServer& server) {
      return folder.write("gateway.json", settings("redis", {grant_json("seed-a")},
                                                   R"(,"redis":{"url":")" + server.url() +
                                                       R"("},"webhooks":{"public_key":)" + json_string(key) + "}"));
    };
    const auto file = with(redis);
    const auto url = upstream.process.url();
    const auto before = check(url, file);
    CHECK_MESSAGE(before.code == 0, before.text);
    CHECK(before.has("not exchanged yet: the first start spends it"));
    CHECK(upstream.book("uses") == 0);

    GatewayProcess gateway({.upstream = url, .config_file = file});
    REQUIRE(status_at(gateway, "loc_a") == 200);
    const auto running = check(url, file);
    CHECK_MESSAGE(running.code == 0, running.text);
    CHECK(running.has("ok    credentials.oauth loc_a "));
    CHECK(running.has("scopes contacts.readonly contacts.write"));
    CHECK(running.has("ends in 23 h 59 min"));
    CHECK(running.has("(status 200, Version 2021-07-28)"));
    CHECK(running.has("ok    Redis "));
    CHECK(running.has("master, version 7"));
    CHECK(running.has("kept by its append-only file"));
    CHECK(running.has("ok    clock "));
    CHECK(running.has("1 for x-ghl-signature"));
    for (const auto& secret :
         {kSecret, kStoreKey, std::string("seed-a"), std::string("access-"), std::string("refresh-")})
      CHECK(running.text.find(secret) == std::string::npos);
    CHECK(upstream.book("uses") == 1);

    upstream.post("revoke", R"({"locationId":"loc_a"})");
    const auto revoked = check(url, file);
    CHECK_MESSAGE(revoked.code == 3, revoked.text);
    CHECK(revoked.has("FAIL  credentials.oauth loc_a "));
    CHECK(check(url, file, {"GATEWAY_UPSTREAM_VERSION=1999-01-01"}).code != 0);

    const RedisServer forgetful({.arguments = {"--maxmemory", "100mb", "--maxmemory-policy", "allkeys-lru"}});
    const auto lossy = check(url, with(forgetful));
    CHECK_MESSAGE(lossy.code == 4, lossy.text);
    CHECK(lossy.has("appendonly is off"));
    CHECK(lossy.has("--    Redis, memory "));
    CHECK(lossy.has("maxmemory-policy allkeys-lru: once it evicts"));
    const auto nowhere = check("http://127.0.0.1:1", file);
    CHECK_MESSAGE(nowhere.code == 1, nowhere.text);
    CHECK(check(url, folder.write("wrong.json", "{")).code == 2);
  }

  TEST_CASE("check --connect tells of the upstream's TLS, trusted or not") {
    Authority authority("authority"), stranger("stranger");
    const auto own = authority.issue("upstream");
    GatewayProcess upstream({.upstream = "http://127.0.0.1:1",
                             .settings = {{"server.tls.certificate", own.certificate}, {"server.tls.key", own.key}}});
    const TempDir folder;
    const auto file = folder.write("gateway.json", R"({"credentials":{"token":"pit-test"}})");
    const auto url = "https://" + upstream.address();
    const auto trusted = check(url, file, {"GATEWAY_UPSTREAM_CA_FILE=" + authority.path()});
    CHECK_MESSAGE(trusted.has("ok    TLS "), trusted.text);
    CHECK(trusted.has("TLSv1.3"));
    CHECK(trusted.has("its certificate ends in "));
    const auto untrusted = check(url, file, {"GATEWAY_UPSTREAM_CA_FILE=" + stranger.path()});
    CHECK(untrusted.code == 1);
    CHECK_MESSAGE(untrusted.has("FAIL  TLS "), untrusted.text);
    const auto unknown = check("https://nowhere.invalid", file);
    CHECK(unknown.code == 1);
    CHECK_MESSAGE(unknown.has("FAIL  DNS "), unknown.text);
  }
}
