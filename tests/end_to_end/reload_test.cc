// Settings, secrets and certificates that change while the real program runs, under requests that must not notice.
#include <doctest/doctest.h>

#include <atomic>
#include <csignal>
#include <filesystem>
#include <thread>

#include "tests/support/certificates.h"
#include "tests/support/eventually.h"
#include "tests/support/gateway_process.h"
#include "tests/support/http_client.h"
#include "tests/support/paths.h"
#include "tests/support/simulator_process.h"
#include "tests/support/tls_client.h"

using namespace test_support;
using namespace std::chrono_literals;

namespace {

constexpr auto kLimit = 10s;

// One key and its hash for each client of the tests (contacts-gateway hash-key).
struct Key {
  Key() {
    Process made({.arguments = {binary_dir() + "/contacts-gateway", "hash-key", "--generate"}});
    REQUIRE(made.wait_for_exit(kLimit) == 0);
    const auto text = made.output(Stream::Out);
    const auto word = [&](const std::string& start) {
      const auto at = text.find(start);
      REQUIRE(at != std::string::npos);
      return text.substr(at, text.find_first_of(" \n", at) - at);
    };
    key = word("cgk_");
    hash = word("sha256:");
  }
  HttpFields fields() const { return {{"Authorization", "Bearer " + key}, {"Cache-Control", "no-store"}}; }
  std::string client(const std::string& name) const {
    return R"({"name":")" + name + R"(","key_hash":")" + hash + R"("})";
  }
  std::string key, hash;
};

// Written aside and renamed, as editors and configuration tools do.
void replace(const TempDir& folder, const std::string& name, const std::string& text) {
  std::filesystem::rename(folder.write(name + ".new", text), folder.path() / name);
}

std::string target_of(const std::string& location) { return "/contacts/?locationId=" + location; }

struct Rig {
  explicit Rig(const std::string& settings, std::vector<std::pair<std::string, std::string>> more = {}) {
    folder.write("token", "token-a\n");
    folder.write("gateway.json", settings);
    more.emplace_back("credentials.token_file", folder.path() / "token");
    gateway.emplace(GatewayOptions{
        .upstream = simulator.url(), .settings = std::move(more), .config_file = folder.path() / "gateway.json"});
  }
  void reload(const std::string& settings) {
    replace(folder, "gateway.json", settings);
    gateway->process().signal(SIGHUP);
  }
  bool logged(const std::string& part) {
    return gateway->process().wait_for_line(Stream::Error, part, kLimit).has_value();
  }
  int status(const HttpFields& fields, const std::string& location = "loc_a") {
    return HttpClient(gateway->address()).get(target_of(location), fields).status;
  }
  std::string metrics() { return HttpClient(gateway->admin_address()).get("/metrics").body; }

  TempDir folder;
  SimulatorProcess simulator{
      {.arguments = {"--location", "loc_a=token-a", "--location", "loc_b=token-b", "--limit", "0"}}};
  std::optional<GatewayProcess> gateway;
};

}  // namespace

TEST_SUITE("reload") {
  TEST_CASE("a token whose file changes is used for the next request") {
    Rig rig("{}");
    const HttpFields fields{{"Cache-Control", "no-store"}};
    CHECK(rig.status(fields, "loc_a") == 200);
    CHECK(rig.status(fields, "loc_b") != 200);
    replace(rig.folder, "token", "token-b\n");
    CHECK(eventually(kLimit, [&] { return rig.status(fields, "loc_b") == 200; }));
    CHECK(rig.status(fields, "loc_a") != 200);
    replace(rig.folder, "token", "");  // refused: the last good one stays
    CHECK(rig.logged("token is empty"));
    CHECK(rig.status(fields, "loc_b") == 200);
    CHECK(rig.metrics().find("gateway_settings_reloads_total{result=\"refused\"} 1") != std::string::npos);
    const auto log = rig.gateway->process().output(Stream::Error);
    CHECK(log.find("token-a") == std::string::npos);
    CHECK(log.find("token-b") == std::string::npos);
  }

  TEST_CASE("clients come, go and change their rights on SIGHUP, on connections that stay") {
    const Key one, two;
    Rig rig(R"({"clients":[)" + one.client("one") + "]}");
    HttpClient kept(rig.gateway->address());
    CHECK(kept.get(target_of("loc_a"), one.fields()).status == 200);
    CHECK(rig.status(two.fields()) == 401);
    rig.reload(R"({"clients":[)" + two.client("two") + "," + one.client("one") + "]}");
    CHECK(eventually(kLimit, [&] { return rig.status(two.fields()) == 200; }));
    CHECK(kept.get(target_of("loc_a"), one.fields()).status == 200);
    CHECK(kept.get(target_of("loc_a"), two.fields()).status == 200);
    CHECK(eventually(kLimit, [&] {
      return rig.metrics().find(R"(client="two",code="200"})") != std::string::npos ||
             rig.metrics().find(R"(client="two")") != std::string::npos;
    }));
    rig.reload(R"({"clients":[)" + two.client("two") + "]}");
    CHECK(eventually(kLimit, [&] { return rig.status(one.fields()) == 401; }));
    CHECK(kept.get(target_of("loc_a"), one.fields()).status == 401);
    CHECK(kept.get(target_of("loc_a"), two.fields()).status == 200);
  }

  TEST_CASE("wrong settings are refused whole, and each thing that is wrong is told") {
    const Key one;
    const auto good = R"({"clients":[)" + one.client("one") + "]}";
    Rig rig(good);
    rig.reload(R"({"clients":[], "rate_limit":{"requests":"many"}, "nonsense": 1})");
    CHECK(rig.logged("rate_limit.requests"));
    CHECK(rig.logged("unknown setting"));
    CHECK(rig.status(one.fields()) == 200);
    CHECK(rig.status({}) == 401);  // the clients of the refused file were not taken
    rig.reload("{ not json");
    CHECK(eventually(kLimit, [&] {
      return rig.metrics().find("gateway_settings_reloads_total{result=\"refused\"} 2") != std::string::npos;
    }));
    CHECK(rig.status(one.fields()) == 200);
    rig.reload(R"({"redis":{"url":"redis://127.0.0.1:1"},"clients":[)" + one.client("one") + "]}");
    CHECK(rig.logged(R"("event":"settings_need_restart","paths":"redis")"));
    CHECK(rig.status(one.fields()) == 200);
    const auto ready = HttpClient(rig.gateway->admin_address()).get("/readyz");
    CHECK(ready.status == 200);
    CHECK(ready.body.find("redis") == std::string::npos);
  }

  TEST_CASE("the log's level and the times of the cache follow the settings") {
    Rig rig("{}");
    HttpClient client(rig.gateway->address());
    const std::string contact = "/contacts/contact0000000000001";
    client.get(contact);
    CHECK(client.get(contact).field("Cache-Status").find("hit") != std::string::npos);
    rig.reload(
        R"({"log":{"level":"error"},"cache":{"operations":{"get-contact":{"fresh":"0s","stale_while_revalidate":"0s","stale_if_error":"0s"}}}})");
    CHECK(eventually(kLimit, [&] {
      client.send({.method = "PUT",
                   .target = contact,
                   .fields = {{"Content-Type", "application/json"}},
                   .body = R"({"firstName":"Grace"})"});
      client.get(contact);
      return client.get(contact).field("Cache-Status").find("hit") == std::string::npos;
    }));
    const auto logged = [&](std::string_view id) {
      return rig.gateway->process().output(Stream::Error).find("\"id\":\"" + std::string(id)) != std::string::npos;
    };
    client.send({.method = "GET", .target = contact, .fields = {{"X-Request-Id", "below-the-level"}}});
    rig.reload("{}");
    CHECK(eventually(kLimit, [&] {
      client.send({.method = "GET", .target = contact, .fields = {{"X-Request-Id", "above-it"}}});
      return logged("above-it");
    }));
    CHECK_FALSE(logged("below-the-level"));
  }

  TEST_CASE("no request is lost or refused while settings and secrets are reloaded again and again") {
    const Key one, two;
    const auto with_two = R"({"clients":[)" + two.client("two") + "," + one.client("one") + "]}",
               alone = R"({"clients":[)" + one.client("one") + "]}";
    Rig rig(alone, {{"log.requests", "off"}});
    std::atomic<bool> over{false};
    std::atomic<int> asked{0}, failed{0};
    std::vector<std::jthread> clients;
    for (int i = 0; i < 3; ++i) {
      clients.emplace_back([&] {
        HttpClient client(rig.gateway->address());
        while (!over) {
          try {
            failed += client.get(target_of("loc_a"), one.fields()).status != 200;
          } catch (const HttpError&) {
            ++failed;
          }
          ++asked;
        }
      });
    }
    const auto applied = [&] {
      const auto log = rig.gateway->process().output(Stream::Error);
      int count = 0;
      for (auto at = log.find("settings_reloaded"); at != std::string::npos; at = log.find("settings_reloaded", at + 1))
        ++count;
      return count;
    };
    for (int i = 1; i <= 10; ++i) {
      rig.reload(i % 2 == 0 ? alone : with_two);
      REQUIRE(eventually(kLimit, [&] { return applied() == i; }));
    }
    over = true;
    clients.clear();
    CHECK(failed == 0);
    CHECK(asked > 20);
  }

  TEST_CASE("a renewed certificate is shown at once, half a renewal is refused and the old one stays") {
    Authority authority("authority");
    const auto first = authority.issue("first"), second = authority.issue("second"), past = authority.issue("past", -1);
    const TempDir pem;
    const auto put = [&](const PemPair& pair, bool certificate, bool key) {
      namespace fs = std::filesystem;
      const auto move_in = [&](const std::string& from, const char* to) {
        fs::copy_file(from, pem.path() / "new");
        fs::rename(pem.path() / "new", pem.path() / to);
      };
      if (certificate) move_in(pair.certificate, "tls.crt");
      if (key) move_in(pair.key, "tls.key");
    };
    put(first, true, true);
    Rig rig("{}", {{"server.tls.certificate", pem.path() / "tls.crt"}, {"server.tls.key", pem.path() / "tls.key"}});
    const auto shown = [&] {
      TlsClient client(rig.gateway->address(), {.ca = authority.path()});
      return client.handshake() ? client.server_name() : client.failure();
    };
    TlsClient kept(rig.gateway->address(), {.ca = authority.path()});
    REQUIRE(kept.handshake());
    CHECK(shown() == "first");
    put(second, true, false);
    CHECK(rig.logged("is not the key of"));
    CHECK(shown() == "first");
    put(second, false, true);
    CHECK(eventually(kLimit, [&] { return shown() == "second"; }));
    put(past, true, true);
    CHECK(rig.logged("expected a certificate that is valid now"));
    CHECK(shown() == "second");
    kept.write("GET /contacts/?locationId=loc_a HTTP/1.1\r\nHost: h\r\n\r\n");
    CHECK(kept.read_answer().starts_with("HTTP/1.1 200"));
  }
}
