#include "gateway/lifecycle/live_settings.h"

#include <doctest/doctest.h>

using gateway::config::Settings;
using gateway::lifecycle::changes_between;
using gateway::lifecycle::takeable;
using Paths = std::vector<std::string_view>;

TEST_SUITE("lifecycle") {
  TEST_CASE("what can change while running is taken, what needs a restart stays and is named") {
    Settings running;
    running.server.tls.certificate = "one.pem";
    Settings wanted = running;
    CHECK(changes_between(running, wanted).none());
    wanted.rate_limit.requests = 7;
    wanted.clients.push_back({.name = "new", .key_hash = "h"});
    wanted.credentials.token.value = "other";
    wanted.server.tls.certificate = "two.pem";
    wanted.listen = "127.0.0.1:1";
    wanted.redis.url.value = "redis://elsewhere";
    const auto changes = changes_between(running, wanted);
    CHECK(changes.live == Paths{"credentials.token", "rate_limit", "clients", "server.tls"});
    CHECK(changes.restart == Paths{"listen", "redis"});
    const Settings taken = takeable(running, wanted);
    CHECK(taken.rate_limit.requests == 7);
    CHECK(taken.clients.size() == 1);
    CHECK(taken.server.tls.certificate == "two.pem");
    CHECK(taken.listen == running.listen);
    CHECK(taken.redis.url.empty());
    CHECK(changes_between(taken, wanted).restart == Paths{"listen", "redis"});
  }

  TEST_CASE("TLS cannot be switched on or off while running") {
    Settings plain, encrypted;
    encrypted.server.tls.certificate = "one.pem";
    CHECK(changes_between(plain, encrypted).restart == Paths{"server.tls"});
    CHECK(changes_between(encrypted, plain).restart == Paths{"server.tls"});
    CHECK(takeable(encrypted, plain).server.tls.certificate == "one.pem");
  }
}
