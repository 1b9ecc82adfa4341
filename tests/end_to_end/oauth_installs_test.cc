// How locations come and go: an operator authorises the app, an agency's token makes those of its locations, INSTALL
// and UNINSTALL say what changed at the upstream.
#include <sys/stat.h>

#include <csignal>
#include <memory>

#include "tests/end_to_end/oauth_world.h"
#include "tests/support/paths.h"
#include "tests/support/redis_server.h"

using namespace oauth_test;

namespace {

// A command of the program beside a gateway that uses the same settings.
Process command(const Upstream& upstream, const std::string& config_file, std::vector<std::string> arguments,
                bool typed_to = false) {
  arguments.insert(arguments.begin(), binary_dir() + "/contacts-gateway");
  return Process({.arguments = std::move(arguments),
                  .environment = {"GATEWAY_CONFIG=" + config_file, "GATEWAY_UPSTREAM_URL=" + upstream.process.url()},
                  .unset_prefix = "GATEWAY_",
                  .typed_to = typed_to});
}

std::string client_json(const std::string& redirect_uri) {
  return R"({"client_id":")" + kApp + R"(","client_secret":")" + kSecret + R"(","redirect_uri":")" + redirect_uri +
         "\"}";
}
std::string client_json(std::uint16_t port) {
  return client_json("http://127.0.0.1:" + std::to_string(port) + "/back");
}

std::string between(const std::string& text, const std::string& start, const std::string& end) {
  const auto at = text.find(start);
  if (at == std::string::npos) return {};
  const auto from = at + start.size();
  return text.substr(from, text.find_first_of(end, from) - from);
}

std::string new_code(Upstream& upstream, const std::string& location) {
  return Json(upstream.post("grant", R"({"locationId":")" + location + R"(","clientId":")" + kApp + "\"}"))
      .text("code");
}

// `authorize --paste`, which has told where the browser must go and waits for what comes back.
class Pasting {
 public:
  Pasting(const Upstream& upstream, const std::string& file)
      : process_(command(upstream, file, {"authorize", "--paste"}, true)) {
    REQUIRE(eventually(kLimit, [&] { return said().find("Paste the code") != std::string::npos; }));
  }
  std::string state() const { return between(said(), "state=", " \n&"); }
  std::optional<int> paste(const std::string& text) {
    process_.type(text);
    return process_.wait_for_exit(kLimit);
  }
  std::string said() const { return process_.output(Stream::Out) + process_.output(Stream::Error); }

 private:
  Process process_;
};

struct Agency {
  explicit Agency(const std::string& redis = "", const std::string& life = "86399s")
      : upstream({"--refresh-token", "seed-c=company:com", "--access-token-life", life}), redis_(redis) {
    gateway = start();
    upstream.post("webhooks", R"({"url":"http://)" + gateway->address() + "/webhooks/leadconnector\"}");
  }
  // With a Redis another replica may be started; webhooks go to the first.
  std::unique_ptr<GatewayProcess> start() {
    const auto key = Json(upstream.control.get("/_simulator/webhooks").body).text("public_key");
    GatewayOptions options{.upstream = upstream.process.url(),
                           .settings = {{"webhooks.public_key", key}},
                           .config = settings(redis_.empty() ? "file:" + (folder.path() / "tokens").string() : "redis",
                                              {grant_json("seed-c", "", "Company")})};
    if (!redis_.empty()) options.settings.emplace_back("redis.url", redis_);
    return std::make_unique<GatewayProcess>(options);
  }
  // What the gateway said to the event.
  std::int64_t deliver(const std::string& event) {
    const auto done = [&] {
      const Json book(upstream.control.get("/_simulator/webhooks").body);
      return book.integer("delivered") + book.integer("failed");
    };
    const auto before = done();
    upstream.post("webhooks/send", R"({"event":)" + event + R"(,"signature":"valid"})");
    REQUIRE(eventually(kLimit, [&] { return done() > before; }));
    return Json(upstream.control.get("/_simulator/webhooks").body).integer("last_status");
  }
  std::string event(const std::string& type, const std::string& location, const std::string& app = "app0") const {
    return R"({"type":")" + type + R"(","appId":")" + app + R"(","companyId":"com")" +
           (location.empty() ? "" : R"(,"locationId":")" + location + "\"") + R"(,"webhookId":")" + type + location +
           app + "\"}";
  }

  TempDir folder;
  Upstream upstream;
  std::unique_ptr<GatewayProcess> gateway;

 private:
  std::string redis_;
};

}  // namespace

TEST_SUITE("oauth_installs") {
  TEST_CASE(
      "authorize sends the browser to the install page, checks the state, and a running gateway has the tokens at "
      "once") {
    Upstream upstream({});
    RedisServer redis;
    const auto port = free_port();
    for (const std::string store : {"file", "redis"}) {
      CAPTURE(store);
      const TempDir folder;
      const auto place = store == "redis" ? store : "file:" + (folder.path() / "tokens").string();
      const auto file = folder.write(
          "gateway.json", settings(place, {client_json(port)},
                                   store == "redis" ? R"(,"redis":{"url":")" + redis.url() + "\"}" : std::string()));
      GatewayProcess gateway({.upstream = upstream.process.url(), .config_file = file});
      CHECK(status_at(gateway, "loc_a") == 403);  // nobody has authorised anything

      Process authorize = command(upstream, file, {"authorize", "--install-page", "https://install.example/choose"});
      REQUIRE(authorize.wait_for_line(Stream::Out, "Waiting for the browser", kLimit));
      const auto said = authorize.output(Stream::Out);
      CHECK(said.find("https://install.example/choose?response_type=code") != std::string::npos);
      CHECK(said.find("scope=contacts.readonly%20contacts.write") != std::string::npos);
      CHECK(said.find("redirect_uri=http%3A%2F%2F127.0.0.1%3A" + std::to_string(port) + "%2Fback") !=
            std::string::npos);
      const auto state = between(said, "state=", " \n&");
      REQUIRE(state.size() >= 32);
      const auto code = new_code(upstream, "loc_a");
      const auto browser = [&](const std::string& target) {
        return HttpClient("127.0.0.1:" + std::to_string(port)).get(target).status;
      };
      CHECK(browser("/favicon.ico") == 404);
      CHECK(browser("/back?code=forged&state=" + std::string(state.size(), 'x')) == 400);
      CHECK(browser("/back?code=forged") == 400);
      CHECK(browser("/back?code=" + code + "&state=" + state) == 200);
      REQUIRE(authorize.wait_for_exit(kLimit) == 0);
      const auto whole = authorize.output(Stream::Out) + authorize.output(Stream::Error);
      CHECK_MESSAGE(
          whole.find("good for the location loc_a (scopes: contacts.readonly contacts.write") != std::string::npos,
          whole);
      for (const std::string& secret : {code, kSecret, std::string("access-"), std::string("refresh-")})
        CHECK(whole.find(secret) == std::string::npos);
      CHECK(eventually(kLimit, [&] { return status_at(gateway, "loc_a") == 200; }));
    }
  }

  TEST_CASE("authorize --paste takes the code or the whole URL, stores what it brings, and refuses what is another's") {
    Upstream upstream({});
    const TempDir folder;
    // A redirect_uri that leads elsewhere, where nobody of ours listens.
    const auto file = folder.write("gateway.json", settings("file:" + (folder.path() / "tokens").string(),
                                                            {client_json("https://app.example/oauth/back")}));
    GatewayProcess gateway({.upstream = upstream.process.url(), .config_file = file});
    CHECK(status_at(gateway, "loc_a") == 403);

    Pasting empty(upstream, file);
    CHECK(empty.paste("\n") == 1);
    CHECK(empty.said().find("what was pasted: it carries no code") != std::string::npos);

    const auto refused = [&](const std::string& text, const std::string& why) {
      CAPTURE(text);
      Pasting pasting(upstream, file);
      CHECK(pasting.paste(text) == 1);
      CHECK_MESSAGE(pasting.said().find(why) != std::string::npos, pasting.said());
      CHECK(pasting.said().find("never-issued") == std::string::npos);
      CHECK(status_at(gateway, "loc_a") == 403);
    };
    refused("never-issued\n", "refused the code (invalid_grant)");
    refused("https://app.example/oauth/back?code=never-issued&state=of-another\n", "its state is not the one");
    refused("https://app.example/oauth/back?error=access_denied\n", "the install page says that it was refused");

    // The bare code, as a terminal sends it; then, for another location, the whole URL.
    const auto accepted = [&](const std::string& location, auto text_of) {
      CAPTURE(location);
      const auto code = new_code(upstream, location);
      Pasting pasting(upstream, file);
      CHECK(pasting.paste(text_of(code, pasting.state())) == 0);
      const auto said = pasting.said();
      CHECK_MESSAGE(said.find("Stored. The tokens are good for the location " + location) != std::string::npos, said);
      for (const std::string& secret : {code, kSecret, std::string("access-"), std::string("refresh-")})
        CHECK(said.find(secret) == std::string::npos);
      CHECK(eventually(kLimit, [&] { return status_at(gateway, location) == 200; }));
    };
    accepted("loc_a", [](const std::string& code, const std::string&) { return "\t " + code + " \r\n"; });
    accepted("loc_b", [](const std::string& code, const std::string& state) {
      return "https://app.example/oauth/back?state=" + state + "&code=" + code + "\n";
    });
    // Once more for the first: its new grant takes the place of the old one, which the upstream has ended.
    upstream.post("revoke", R"({"locationId":"loc_a"})");
    accepted("loc_a", [](const std::string& code, const std::string&) { return code; });
  }

  TEST_CASE("authorize says what is missing and what the upstream did not like") {
    Upstream upstream({});
    const auto port = free_port();
    const TempDir folder;
    const auto file =
        folder.write("gateway.json", settings("file:" + (folder.path() / "tokens").string(), {client_json(port)}));
    Process authorize = command(upstream, file, {"authorize"});
    REQUIRE(authorize.wait_for_line(Stream::Out, "Waiting for the browser", kLimit));
    const auto state = between(authorize.output(Stream::Out), "state=", " \n&");
    HttpClient("127.0.0.1:" + std::to_string(port)).get("/back?code=never-issued&state=" + state);
    CHECK(authorize.wait_for_exit(kLimit) == 1);
    CHECK(authorize.output(Stream::Error).find("refused the code (invalid_grant)") != std::string::npos);
    CHECK(authorize.output(Stream::Error).find("never-issued") == std::string::npos);

    Process late = command(upstream, file, {"authorize", "--wait", "1"});
    CHECK(late.wait_for_exit(kLimit) == 1);
    CHECK(late.output(Stream::Error).find("no browser came back within 1 s") != std::string::npos);
    Process other = command(upstream, file, {"authorize", "--client-id", "other"});
    CHECK(other.wait_for_exit(kLimit) == 2);
    CHECK(other.output(Stream::Error).find("no configured OAuth client has the id other") != std::string::npos);
  }

  TEST_CASE("an agency's token makes those of its locations on demand, one call for all that wait") {
    Agency agency;
    auto& gateway = *agency.gateway;
    CHECK(HttpClient(gateway.address()).get("/contacts/", kUncached).status == 400);  // which location?
    CHECK(status_at(gateway, "loc_a") == 200);
    CHECK(status_at(gateway, "loc_b") == 200);
    CHECK(status_at(gateway, "loc_a") == 200);
    CHECK(refreshes(gateway, "location_made") == 2);
    CHECK(agency.upstream.book("uses") == 1);
    agency.upstream.post("revoke", R"({"locationId":"loc_a"})");
    CHECK(status_at(gateway, "loc_a") == 200);
    CHECK(refreshes(gateway, "location_made") == 3);
    agency.upstream.post("revoke", "{}");  // the agency's own too
    CHECK(status_at(gateway, "loc_b") == 200);
    CHECK(refreshes(gateway, "refreshed") == 2);
    CHECK(agency.upstream.book("used_again") == 0);
    CHECK(metric(gateway, "gateway_token_expiry_timestamp_seconds{location=\"company:com\"}") > 1.7e9);
    CHECK(eventually(
        kLimit, [&] { return metric(gateway, "gateway_token_expiry_timestamp_seconds{location=\"loc_b\"}") > 1.7e9; }));
    agency.upstream.fault("/oauth/locationToken", "status=400", 1'000);
    const auto refused = HttpClient(gateway.address()).get(list_of("loc_other"), kUncached);
    CHECK(refused.status == 403);
    CHECK(Json(refused.body).text("type").find("no-credentials") != std::string::npos);
    CHECK(status_at(gateway, "loc_other") == 403);
    CHECK(refreshes(gateway, "location_refused") == 1);  // asked once, remembered for a while
    CHECK(status_at(gateway, "loc_b") == 200);
  }

  TEST_CASE("a location is not lost to a passing 400, and its token lives on beside it") {
    Agency agency;
    auto& gateway = *agency.gateway;
    agency.upstream.fault("/oauth/locationToken", "status=400", 1);
    CHECK(status_at(gateway, "loc_a") == 200);
    CHECK(refreshes(gateway, "location_failed") == 1);
    CHECK(refreshes(gateway, "location_refused") == 0);
  }

  TEST_CASE("a location's token is used while it lives, also when it is refused another") {
    Agency agency("", "12s");
    auto& gateway = *agency.gateway;
    CHECK(status_at(gateway, "loc_a") == 200);
    agency.upstream.fault("/oauth/locationToken", "status=400", 1'000'000);
    bool always = true;
    CHECK(eventually(kLimit, [&] {
      always = always && status_at(gateway, "loc_a") == 200;
      return refreshes(gateway, "location_refused") >= 1;
    }));
    CHECK(always);
    CHECK(status_at(gateway, "loc_a") == 200);
  }

  TEST_CASE("INSTALL fetches a location's token before anybody asks, UNINSTALL drops it, of this app alone") {
    Agency agency;
    auto& gateway = *agency.gateway;
    REQUIRE(eventually(kLimit, [&] { return refreshes(gateway, "refreshed") == 1; }));
    CHECK(agency.deliver(agency.event("INSTALL", "loc_a")) == 200);
    CHECK(refreshes(gateway, "location_made") == 1);
    CHECK(status_at(gateway, "loc_a") == 200);
    CHECK(refreshes(gateway, "location_made") == 1);
    CHECK(agency.deliver(agency.event("UNINSTALL", "loc_a", "otherapp")) == 200);
    CHECK(status_at(gateway, "loc_a") == 200);
    CHECK(refreshes(gateway, "location_made") == 1);
    CHECK(agency.deliver(agency.event("UNINSTALL", "loc_a")) == 200);
    agency.upstream.fault("/oauth/locationToken", "status=400", 3);  // as the upstream says from then on
    CHECK(status_at(gateway, "loc_a") == 403);
    CHECK(agency.deliver(agency.event("INSTALL", "loc_a", "app0")) == 409);  // the same event again
    CHECK(status_at(gateway, "loc_b") == 200);
    CHECK(agency.deliver(agency.event("UNINSTALL", "")) == 200);  // the whole agency
    CHECK(status_at(gateway, "loc_b") == 403);
    gateway.process().signal(SIGTERM);
    CHECK(gateway.process().wait_for_exit(kLimit) == 0);
  }

  TEST_CASE("INSTALL and UNINSTALL reach the tokens of replicas that did not get the webhook") {
    RedisServer redis;
    Agency agency(redis.url());
    const auto other = agency.start();
    const auto refused = [&](const std::string& location) {
      return eventually(kLimit, [&] { return status_at(*other, location) == 403; });
    };
    for (const std::string location : {"loc_a", "loc_b"}) {
      CHECK(status_at(*agency.gateway, location) == 200);
      CHECK(status_at(*other, location) == 200);
    }
    agency.upstream.fault("/oauth/locationToken", "status=400", 1'000'000);  // as the upstream says from then on
    CHECK(agency.deliver(agency.event("UNINSTALL", "loc_a")) == 200);
    CHECK(refused("loc_a"));
    CHECK(status_at(*other, "loc_b") == 200);

    // Installed again: that it was refused a moment ago is forgotten everywhere.
    agency.upstream.control.send({.method = "DELETE", .target = "/_simulator/faults"});
    CHECK(agency.deliver(agency.event("INSTALL", "loc_a")) == 200);
    CHECK(eventually(kLimit, [&] { return status_at(*other, "loc_a") == 200; }));

    CHECK(agency.deliver(agency.event("UNINSTALL", "")) == 200);  // the whole agency
    CHECK(refused("loc_a"));
    CHECK(refused("loc_b"));
  }

  TEST_CASE("an INSTALL whose token cannot be fetched now is not acknowledged, so that it is sent again") {
    Agency agency;
    auto& gateway = *agency.gateway;
    REQUIRE(eventually(kLimit, [&] { return refreshes(gateway, "refreshed") == 1; }));
    agency.upstream.fault("/oauth/locationToken", "status=503", 1'000'000);
    agency.upstream.post("webhooks/send",
                         R"({"event":)" + agency.event("INSTALL", "loc_a") + R"(,"signature":"valid"})");
    CHECK(eventually(kLimit, [&] {
      return metric(gateway, "gateway_webhooks_total{type=\"AppInstall\",result=\"unavailable\"}") >= 1;
    }));
    agency.upstream.control.send({.method = "DELETE", .target = "/_simulator/faults"});
    CHECK(eventually(kLimit, [&] {
      return metric(gateway, "gateway_webhooks_total{type=\"AppInstall\",result=\"accepted\"}") == 1;
    }));
    CHECK(refreshes(gateway, "location_made") == 1);
    CHECK(status_at(gateway, "loc_a") == 200);
  }
}
