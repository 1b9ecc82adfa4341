// The status page in headless Chromium (--full): tests/browser/status.mjs looks, and here happens what it asks for.
#include <doctest/doctest.h>
#include <signal.h>

#include <cstdlib>

#include "tests/support/gateway_process.h"
#include "tests/support/http_client.h"
#include "tests/support/paths.h"
#include "tests/support/process.h"
#include "tests/support/redis_server.h"
#include "tests/support/simulator_process.h"

using namespace std::chrono_literals;
using test_support::GatewayProcess;
using test_support::HttpClient;
using test_support::Process;
using test_support::RedisServer;
using test_support::SimulatorProcess;
using test_support::Stream;

namespace {
bool everyday() { return std::getenv("GATEWAY_TEST_FULL") == nullptr; }
}  // namespace

TEST_SUITE("browser") {
  TEST_CASE("the status page loads, updates, tells troubles within two seconds, and works by keyboard and on a phone" *
            doctest::skip(everyday())) {
    RedisServer redis;
    SimulatorProcess simulator({.arguments = {"--token", "pit-test"}});
    GatewayProcess gateway({.upstream = simulator.url(),
                            .settings = {{"redis.url", redis.url()},
                                         {"rate_limit.requests", "10"},
                                         {"rate_limit.interval", "60s"},
                                         {"log.requests", "off"}}});
    HttpClient client(gateway.address());
    const std::string pictures = test_support::binary_dir() + "/../status-page";
    Process browser({.arguments = {test_support::source_dir() + "/tests/browser/run.sh",
                                   "http://" + gateway.admin_address() + "/", pictures}});
    const auto asked = [&](const char* what) {
      return browser.wait_for_line(Stream::Out, std::string("do: ") + what, 300s).has_value();
    };
    const auto read = [&](int page) {
      return client.get("/contacts/?locationId=loc_demo&limit=" + std::to_string(page)).status;
    };
    REQUIRE_MESSAGE(asked("traffic"), browser.output(Stream::Out), browser.output(Stream::Error));
    for (int i = 0; i < 20; ++i) CHECK(read(1 + i % 4) == 200);
    REQUIRE(asked("spend"));
    for (int page = 5; page <= 10; ++page) CHECK(read(page) == 200);
    REQUIRE(asked("lose-redis"));
    redis.kill();
    REQUIRE(asked("bring-redis"));
    redis.start();
    REQUIRE(asked("end"));
    gateway.process().signal(SIGINT);
    CHECK(browser.wait_for_exit(120s) == 0);
    MESSAGE(browser.output(Stream::Out));
  }
}
