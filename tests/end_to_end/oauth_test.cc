// The life of OAuth credentials behind one gateway and a file store: renewed before they end and when they are refused,
// kept over restarts, and stopped alone when the upstream takes a grant no more.
#include <sys/stat.h>

#include <atomic>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <thread>

#include "tests/end_to_end/oauth_world.h"

using namespace oauth_test;

namespace {

struct Rig {
  explicit Rig(Upstream& up, std::vector<std::string> grants = {grant_json("seed-a")}, std::string more = "")
      : upstream(up), text(settings("file:" + store(), grants, more)) {
    start();
  }
  std::string store() const { return folder.path() / "tokens"; }
  void start(const std::string& fault_point = "") {
    write(text);
    gateway.emplace(GatewayOptions{
        .upstream = upstream.process.url(), .config_file = folder.path() / "gateway.json", .fault_point = fault_point});
  }
  void stop() {
    gateway->process().signal(SIGTERM);
    REQUIRE(gateway->process().wait_for_exit(kLimit) == 0);
    gateway.reset();
  }
  void write(const std::string& changed) {
    std::filesystem::rename(folder.write("gateway.json.new", changed), folder.path() / "gateway.json");
  }
  std::string stored() const {
    std::ifstream file(store(), std::ios::binary);
    return {std::istreambuf_iterator<char>(file), {}};
  }
  // By what was written, and not by wait_for_line: that notices the end of a process that was taken over from, and ends
  // its successor with it.
  bool logged(const std::string& part) {
    return eventually(kLimit, [&] { return gateway->process().output(Stream::Error).find(part) != std::string::npos; });
  }

  Upstream& upstream;
  TempDir folder;
  std::string text;
  std::optional<GatewayProcess> gateway;
};

// Clients that ask without a pause until they are told to end; `failed` counts what was not answered 200.
struct Load {
  Load(const std::string& address, const std::string& location, int clients) {
    for (int i = 0; i < clients; ++i)
      threads.emplace_back([this, address, location](std::stop_token over) {
        HttpClient client(address, 60s);
        while (!over.stop_requested()) {
          try {
            if (client.get(list_of(location), kUncached).status != 200) ++failed;
          } catch (const HttpError&) {
            ++failed;
          }
          ++asked;
        }
      });
  }
  void end() { threads.clear(); }
  std::atomic<int> asked{0}, failed{0};
  std::vector<std::jthread> threads;
};

}  // namespace

TEST_SUITE("oauth") {
  TEST_CASE(
      "a seed is spent once, tokens that live 2 s are renewed in time, and a restart goes on with what is stored") {
    Upstream upstream({"--refresh-token", "seed-a=loc_a", "--access-token-life", "2s"});
    Rig rig(upstream);
    {
      Load load(rig.gateway->address(), "loc_a", 2);
      CHECK(eventually(kLimit, [&] { return refreshes(*rig.gateway, "refreshed") >= 3; }));
      load.end();
      CHECK(load.failed == 0);
      CHECK(load.asked > 10);
    }
    CHECK(upstream.answered(401) == 0);  // before their end, not after
    CHECK(metric(*rig.gateway, "gateway_token_expiry_timestamp_seconds{location=\"loc_a\"}") > 1.7e9);
    struct stat file {};
    REQUIRE(::stat(rig.store().c_str(), &file) == 0);
    CHECK((file.st_mode & 07777) == 0600);
    CHECK(rig.stored().find("refresh-") == std::string::npos);
    CHECK(rig.stored().find("access-") == std::string::npos);
    rig.stop();
    rig.start();
    CHECK(status_at(*rig.gateway, "loc_a") == 200);
    CHECK(upstream.book("used_again") == 0);
    CHECK(upstream.book("unknown") == 0);
    CHECK(HttpClient(rig.gateway->admin_address()).get("/readyz").status == 200);
  }

  TEST_CASE("access tokens that are revoked under load cost no failed request") {
    Upstream upstream({"--refresh-token", "seed-a=loc_a"});
    Rig rig(upstream);
    REQUIRE(status_at(*rig.gateway, "loc_a") == 200);
    Load load(rig.gateway->address(), "loc_a", 8);
    for (int round = 1; round <= 3; ++round) {
      const int asked = load.asked;
      REQUIRE(eventually(kLimit, [&] { return load.asked > asked + 20; }));
      upstream.post("revoke", R"({"locationId":"loc_a"})");
      CHECK(eventually(kLimit, [&] { return refreshes(*rig.gateway, "refreshed") == 1 + round; }));
    }
    const int asked = load.asked;
    CHECK(eventually(kLimit, [&] { return load.asked > asked + 20; }));
    load.end();
    CHECK(load.failed == 0);
    CHECK(upstream.answered(401) >= 3);
    CHECK(upstream.book("uses") == 4);
    CHECK(upstream.book("used_again") == 0);
  }

  TEST_CASE("a 401 that is not the token's fault spends no refresh token") {
    Upstream upstream({"--refresh-token", "seed-a=loc_a", "--scope", "contacts.readonly"});
    Rig rig(upstream);
    REQUIRE(status_at(*rig.gateway, "loc_a") == 200);
    HttpClient client(rig.gateway->address());
    for (int i = 0; i < 5; ++i) {
      CHECK(client.get(list_of("loc_a"), {{"Version", "1999-01-01"}, {"Cache-Control", "no-store"}}).status == 401);
      CHECK(client.send({.method = "DELETE", .target = "/contacts/contact0000000000001"}).status == 401);
    }
    CHECK(upstream.book("uses") == 1);
  }

  TEST_CASE("a passing fault of the token endpoint is tried again, and the old token is used while it lives") {
    Upstream upstream({"--refresh-token", "seed-a=loc_a", "--access-token-life", "4s"});
    Rig rig(upstream);
    REQUIRE(status_at(*rig.gateway, "loc_a") == 200);
    Load load(rig.gateway->address(), "loc_a", 2);
    upstream.fault("/oauth/token", "status=503", 1);
    upstream.fault("/oauth/token", "status=400", 1);
    upstream.fault("/oauth/token", "reset-before", 1);
    CHECK(eventually(kLimit, [&] { return refreshes(*rig.gateway, "refreshed") >= 2; }));
    load.end();
    CHECK(load.failed == 0);
    CHECK(refreshes(*rig.gateway, "failing") == 1);
    CHECK(refreshes(*rig.gateway, "refused") == 1);
    CHECK(refreshes(*rig.gateway, "no_answer") == 1);
    CHECK(upstream.book("used_again") == 0);
  }

  TEST_CASE("a dead grant stops alone and loudly, and a new seed brings it back without a restart") {
    Upstream upstream({"--refresh-token", "seed-b=loc_b", "--access-token-life", "2s"});
    const auto with = [](const std::string& seed) {
      return std::vector{grant_json(seed, "loc_a"), grant_json("seed-b", "loc_b")};
    };
    Rig rig(upstream, with("never-issued"));
    CHECK(rig.logged("\"event\":\"credential_dead\",\"location\":\"loc_a\""));
    CHECK(eventually(kLimit, [&] { return status_at(*rig.gateway, "loc_b") == 200; }));
    const auto answer = HttpClient(rig.gateway->address()).get(list_of("loc_a"), kUncached);
    CHECK(answer.status == 502);
    const Json problem(answer.body);
    CHECK(problem.text("type").find("credential-dead") != std::string::npos);
    CHECK(problem.text("detail").find("contacts-gateway authorize") != std::string::npos);
    CHECK(refreshes(*rig.gateway, "invalid_grant") == 1);
    CHECK(eventually(kLimit, [&] {
      const auto ready = HttpClient(rig.gateway->admin_address()).get("/readyz");
      return ready.status == 200 &&
             ready.body.find("The upstream refused the refresh token of loc_a") != std::string::npos;
    }));
    CHECK(upstream.book("unknown") == 1);  // not asked again and again
    rig.stop();
    rig.start();
    CHECK(HttpClient(rig.gateway->address()).get(list_of("loc_a"), kUncached).status == 502);
    CHECK(upstream.book("unknown") == 1);  // not by a restart either
    rig.text = settings("file:" + rig.store(), with(upstream.new_seed("loc_a")));
    rig.write(rig.text);
    rig.gateway->process().signal(SIGHUP);
    CHECK(eventually(kLimit, [&] { return status_at(*rig.gateway, "loc_a") == 200; }));
    CHECK(status_at(*rig.gateway, "loc_b") == 200);
    CHECK(upstream.book("used_again") == 0);
  }

  TEST_CASE("while the token endpoint fails for long, requests wait and then learn why, with Retry-After") {
    Upstream upstream({"--refresh-token", "seed-a=loc_a"});
    upstream.fault("/oauth/token", "status=500", 1'000'000);
    Rig rig(upstream);
    HttpFields fields = kUncached;
    fields.emplace_back("Prefer", "wait=1");
    const auto answer = HttpClient(rig.gateway->address()).get(list_of("loc_a"), fields);
    CHECK(answer.status == 503);
    CHECK(answer.field("Retry-After") == "1");
    CHECK(Json(answer.body).text("type").find("credential-unavailable") != std::string::npos);
    CHECK(HttpClient(rig.gateway->admin_address()).get("/readyz").status == 503);
    upstream.control.send({.method = "DELETE", .target = "/_simulator/faults"});
    CHECK(status_at(*rig.gateway, "loc_a") == 200);
  }

  TEST_CASE("one file serves one gateway, and a take-over goes on with it") {
    Upstream upstream({"--refresh-token", "seed-a=loc_a", "--access-token-life", "2s"});
    Rig rig(upstream);
    REQUIRE(status_at(*rig.gateway, "loc_a") == 200);
    CHECK_THROWS_WITH_AS(GatewayProcess({.upstream = upstream.process.url(), .config = rig.text}),
                         doctest::Contains("another gateway uses"), std::runtime_error);
    Load load(rig.gateway->address(), "loc_a", 1);
    rig.gateway->process().signal(SIGUSR2);
    CHECK(rig.logged("\"event\":\"predecessor_ended\""));
    const auto uses = upstream.book("uses");
    CHECK(eventually(kLimit, [&] { return upstream.book("uses") > uses + 1; }));
    load.end();
    CHECK(load.failed == 0);
    CHECK(upstream.book("used_again") == 0);
    CHECK_THROWS_WITH_AS(GatewayProcess({.upstream = upstream.process.url(), .config = rig.text}),
                         doctest::Contains("another gateway uses"), std::runtime_error);
  }

  TEST_CASE("a store that does not open with the key stops the start and says so") {
    Upstream upstream({"--refresh-token", "seed-a=loc_a"});
    Rig rig(upstream);
    REQUIRE(status_at(*rig.gateway, "loc_a") == 200);
    rig.stop();
    auto other = rig.text;
    other.replace(other.find(kStoreKey), 5, "other");
    CHECK_THROWS_WITH_AS(GatewayProcess({.upstream = upstream.process.url(), .config = other}),
                         doctest::Contains("store_key is not the key that sealed it"), std::runtime_error);
  }
}
