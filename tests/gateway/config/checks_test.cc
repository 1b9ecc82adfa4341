#include "gateway/config/checks.h"

#include <doctest/doctest.h>

#include <functional>

#include "gateway/config/address.h"

using gateway::config::Client;
using gateway::config::contradictions;
using gateway::config::OAuthGrant;
using gateway::config::Settings;

namespace {

Settings startable() {
  Settings settings;
  settings.credentials.token.value = "pit-1";
  return settings;
}

Client client(const std::string& name) { return Client{.name = name, .key_hash = "hash of " + name}; }

}  // namespace

TEST_SUITE("config") {
  TEST_CASE("settings that contradict each other are refused with how to proceed") {
    const struct {
      std::function<void(Settings&)> change;
      std::string said;  // empty: may start
    } cases[] = {
        {[](Settings&) {}, ""},
        {[](Settings& s) { s.listen = "0.0.0.0:8080"; }, "listen: others can reach 0.0.0.0:8080"},
        {[](Settings& s) { s.listen = "0.0.0.0:8080", s.clients = {client("a")}; }, ""},
        {[](Settings& s) { s.listen = "unix:/run/gateway.sock"; }, ""},
        {[](Settings& s) { s.admin.listen = s.listen; }, "admin.listen: the same address"},
        {[](Settings& s) { s.listen = s.admin.listen = "127.0.0.1:0"; }, ""},
        {[](Settings& s) { s.credentials = {}; }, "credentials: none given"},
        {[](Settings& s) { s.credentials = {}, s.credentials.locations["a"].value = "t"; }, ""},
        {[](Settings& s) {
           s.clients = {client("a"), client("a")};
           s.clients[1].key_hash = "x";
         },
         "clients[1].name: another client has this name"},
        {[](Settings& s) {
           s.clients = {client("a"), client("b")};
           s.clients[1].key_hash = s.clients[0].key_hash;
         },
         "clients[1].key_hash: another"},
        {[](Settings& s) { s.clients = {Client{.name = "a"}}; }, "clients[0].key_hash: missing"},
        {[](Settings& s) { s.clients = {Client{.key_hash = "h"}}; }, "clients[0].name: missing"},
        {[](Settings& s) { s.clients = {client("other")}; }, "clients[0].name: expected"},
        {[](Settings& s) { s.clients = {client("a")}, s.clients[0].locations = {"x"}, s.clients[0].location = "y"; },
         "clients[0].location: is not among"},
        {[](Settings& s) { s.server.tls.key = "k"; }, "server.tls.certificate: missing"},
        {[](Settings& s) { s.server.tls.certificate = "c"; }, "server.tls.key: missing"},
        {[](Settings& s) { s.server.tls.client_ca = "c"; }, "server.tls.client_ca: needs"},
        {[](Settings& s) { s.upstream.connect_timeout = std::chrono::minutes(1); }, "upstream.connect_timeout: longer"},
        {[](Settings& s) { s.upstream.timeout = std::chrono::seconds(2); }, ""},  // less than the other's default
        {[](Settings& s) { s.rate_limit.daily = 50; }, ""},
        {[](Settings& s) { s.rate_limit.requests = 300'000; }, ""},
        {[](Settings& s) { s.rate_limit.daily = 50, s.rate_limit.requests = 60; }, "rate_limit.daily: less"},
        {[](Settings& s) { s.cache.refuse_writes = true; }, "cache.on_redis_loss: refuse-writes needs redis.url"},
        {[](Settings& s) { s.redis.url.value = "redis://"; },
         "redis.url: the Redis URL names no host; expected redis://"},
        {[](Settings& s) { s.redis.url.value = "redis://h:99999"; },
         "redis.url: the port in the Redis URL is no number"},
        {[](Settings& s) { s.redis.url.value = "redis://h:6379/abc"; }, "redis.url: the database in"},
        {[](Settings& s) { s.redis.url.value = "redis+sentinel://h:1"; }, "redis.url: redis+sentinel:// names no"},
        {[](Settings& s) { s.redis.url.value = "redis://h"; }, ""},
        {[](Settings& s) { s.upstream.url = "http://127.0.0.1:8080/", s.listen = "127.0.0.1:8080"; },
         "upstream.url: is this gateway's own address"},
        {[](Settings& s) { s.upstream.ca_file = "/nowhere/ca.pem"; }, "upstream.ca_file: /nowhere/ca.pem"},
        {[](Settings& s) { s.upstream.ca_file = "/etc/hostname"; }, "upstream.ca_file: /etc/hostname holds no"},
        {[](Settings& s) { s.credentials.oauth.store = "redis"; }, "credentials.oauth.store: no grant"},
        {[](Settings& s) {
           s.credentials.oauth.grants = {OAuthGrant{.client_id = "i", .client_secret = {"s", ""}}};
         },
         "credentials.oauth.store: expected"},
        {[](Settings& s) {
           s.credentials.oauth.grants = {OAuthGrant{.client_secret = {"s", ""}}};
           s.credentials.oauth.store = "file:/x";
         },
         "credentials.oauth.client_id: missing"},
        {[](Settings& s) {
           s.credentials.oauth.grants = {OAuthGrant{.client_id = "i", .client_secret = {"s", ""}}};
           s.credentials.oauth.store = "redis";
         },
         "credentials.oauth.store: redis needs redis.url"},
    };
    for (const auto& [change, said] : cases) {
      Settings settings = startable();
      change(settings);
      const auto problems = contradictions(settings);
      CAPTURE(said);
      if (said.empty()) {
        CHECK(problems.empty());
      } else {
        REQUIRE(problems.size() == 1);
        CHECK_MESSAGE(problems[0].starts_with(said.substr(0, said.find(':'))), problems[0]);
        CHECK_MESSAGE(problems[0].find(said) != std::string::npos, problems[0]);
      }
    }
  }

  TEST_CASE("only loopback and unix addresses are out of others' reach") {
    for (const char* address : {"127.0.0.1:1", "127.9.9.9:1", "[::1]:1", "[::ffff:127.0.0.1]:1", "unix:x"}) {
      CHECK_MESSAGE(gateway::config::valid_address(address), address);
      CHECK_FALSE_MESSAGE(gateway::config::reachable_by_others(address), address);
    }
    for (const char* address : {"0.0.0.0:1", "[::]:1", "10.0.0.1:65535", "[::ffff:10.0.0.1]:1"}) {
      CHECK_MESSAGE(gateway::config::valid_address(address), address);
      CHECK_MESSAGE(gateway::config::reachable_by_others(address), address);
    }
    for (const char* address : {"", ":80", "localhost:80", "127.0.0.1", "127.0.0.1:", "127.0.0.1:+1", "127.0.0.1:80x",
                                "[127.0.0.1]:80", "[::1:80", "*:80"})
      CHECK_FALSE_MESSAGE(gateway::config::valid_address(address), address);
  }
}
