// Answers of the token endpoint that are well-formed and yet of no use: each is told of where an operator looks, and
// what can be saved of it is saved.
#include <csignal>
#include <filesystem>

#include "tests/end_to_end/oauth_world.h"
#include "tests/support/collector.h"

using namespace oauth_test;

namespace {

// It answers whatever is asked the same; closing each time, since it serves one connection at a time.
struct Rig {
  explicit Rig(const std::string& token_answer, const std::string& location = "") {
    answer(token_answer);
    write(location);
    start();
  }
  void answer(const std::string& body) {
    upstream.answer(200, "Content-Type: application/json\r\nConnection: close\r\n", body);
  }
  void write(const std::string& location) {
    const auto text = settings("file:" + (folder.path() / "tokens").string(), {grant_json("seed-a", location)},
                               R"(,"log":{"level":"debug"})");
    std::filesystem::rename(folder.write("gateway.json.new", text), folder.path() / "gateway.json");
  }
  void start() {
    gateway.emplace(GatewayOptions{.upstream = upstream.url(), .config_file = folder.path() / "gateway.json"});
  }
  void stop() {
    gateway->process().signal(SIGTERM);
    REQUIRE(gateway->process().wait_for_exit(kLimit) == 0);
    gateway.reset();
  }
  std::string log() { return gateway->process().output(Stream::Error); }
  bool logged(const std::string& part) {
    return eventually(kLimit, [&] { return log().find(part) != std::string::npos; });
  }
  bool asked_with(const std::string& refresh_token) const {
    for (const auto& [head, body] : upstream.requests())
      if (head.starts_with("POST /oauth/token ") && body.ends_with("&refresh_token=" + refresh_token)) return true;
    return false;
  }

  Collector upstream;
  TempDir folder;
  std::optional<GatewayProcess> gateway;
};

}  // namespace

TEST_SUITE("oauth odd answers") {
  TEST_CASE("an access token that no field can carry is refused aloud, and the refresh token beside it goes on") {
    Rig rig(
        R"({"access_token":"secret-a\r\nX-Made-Up: 1","refresh_token":"next-1","expires_in":86399,"locationId":"loc_a"})");
    CHECK(rig.logged(R"("result":"malformed")"));
    CHECK(rig.logged("the access token holds a character that no field may hold"));
    HttpFields fields = kUncached;
    fields.emplace_back("Prefer", "wait=0");
    const auto refused = HttpClient(rig.gateway->address()).get(list_of("loc_a"), fields);
    CHECK(refused.status == 503);
    CHECK(refused.body.find("no field may hold") != std::string::npos);
    CHECK(refreshes(*rig.gateway, "malformed") >= 1);
    CHECK(eventually(kLimit, [&] { return rig.asked_with("next-1"); }));  // the seed is spent
    rig.answer(R"({"access_token":"good","refresh_token":"next-2","expires_in":86399,"locationId":"loc_a"})");
    CHECK(eventually(kLimit, [&] { return status_at(*rig.gateway, "loc_a") == 200; }));
    CHECK(rig.upstream.requests().back().head.find("Authorization: Bearer good") != std::string::npos);
    for (const char* secret : {"secret-a", "next-1", "next-2"}) CHECK(rig.log().find(secret) == std::string::npos);
  }

  TEST_CASE("a token whose answer names no location is told of at once, and the settings may name it afterwards") {
    Rig rig(R"({"access_token":"good","refresh_token":"next","expires_in":86399})");
    CHECK(rig.logged(R"("event":"credential_names_no_location")"));
    const auto refused = HttpClient(rig.gateway->address()).get(list_of("loc_a"), kUncached);  // without a wait
    CHECK(refused.status == 403);
    CHECK(Json(refused.body).text("detail").find("credentials.oauth.location") != std::string::npos);
    CHECK(eventually(kLimit, [&] {
      return HttpClient(rig.gateway->admin_address()).get("/readyz").body.find("credentials.oauth.location") !=
             std::string::npos;
    }));
    CHECK(HttpClient(rig.gateway->address()).get("/contacts/c", kUncached).status == 200);  // names none either
    rig.write("loc_b");                                                                     // a mistake
    rig.gateway->process().signal(SIGHUP);
    CHECK(eventually(kLimit, [&] { return status_at(*rig.gateway, "loc_b") == 200; }));
    rig.write("loc_a");
    rig.gateway->process().signal(SIGHUP);
    CHECK(eventually(kLimit, [&] { return status_at(*rig.gateway, "loc_a") == 200; }));
    CHECK(status_at(*rig.gateway, "loc_b") == 403);
    CHECK(HttpClient(rig.gateway->admin_address()).get("/readyz").body.find("oauth.location") == std::string::npos);
    rig.stop();
    rig.start();
    CHECK(eventually(kLimit, [&] { return status_at(*rig.gateway, "loc_a") == 200; }));
    CHECK_FALSE(rig.asked_with("next"));  // all of it without another renewal
  }
}
