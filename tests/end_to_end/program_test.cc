// contacts-gateway as a program: starting, refusing to start, its admin address, ending.
#include <doctest/doctest.h>
#include <signal.h>

#include <filesystem>
#include <fstream>
#include <sstream>

#include "tests/support/gateway_process.h"
#include "tests/support/http_client.h"
#include "tests/support/json.h"
#include "tests/support/paths.h"
#include "tests/support/process.h"
#include "tests/support/temp_dir.h"

using namespace std::chrono_literals;
using test_support::GatewayProcess;
using test_support::HttpClient;
using test_support::Json;
using test_support::Process;
using test_support::Stream;

namespace {

constexpr auto kLimit = 20s;

Process program(std::vector<std::string> arguments, std::vector<std::string> environment = {}) {
  arguments.insert(arguments.begin(), test_support::binary_dir() + "/contacts-gateway");
  return Process(
      {.arguments = std::move(arguments), .environment = std::move(environment), .unset_prefix = "GATEWAY_"});
}

}  // namespace

TEST_SUITE("program") {
  TEST_CASE("a started gateway tells its addresses, serves health and metrics, and SIGTERM ends it with 0") {
    GatewayProcess gateway({.upstream = "http://127.0.0.1:1"});
    HttpClient admin(gateway.admin_address());
    CHECK(admin.get("/healthz").body == "ok\n");
    CHECK(test_support::Json(admin.get("/readyz").body).has("parts.0.name"));
    CHECK(admin.get("/metrics").field("Content-Type") == "text/plain; version=0.0.4; charset=utf-8");
    CHECK(admin.get("/metrics").body.find("\ngateway_connections 0\n") != std::string::npos);
    HttpClient client(gateway.address());
    client.connect();
    CHECK(client.get("/nope").status >= 400);
    CHECK(admin.get("/metrics").body.find("\ngateway_connections 1\n") != std::string::npos);
    CHECK(test_support::Json(admin.get("/operations").body).size("operations") == 69);
    gateway.process().signal(SIGTERM);
    CHECK(gateway.process().wait_for_exit(kLimit) == 0);
  }

  TEST_CASE("neither command line nor core limit of a running gateway shows its secrets") {
    const test_support::TempDir folder;
    const std::string token = folder.write("token", "pit-very-secret\n");
    GatewayProcess gateway(
        {.upstream = "http://127.0.0.1:1", .settings = {{"credentials.token", ""}, {"credentials.token_file", token}}});
    const std::filesystem::path process = "/proc/" + std::to_string(gateway.process().pid());
    for (const char* name : {"cmdline", "environ", "limits"}) {
      std::ifstream file(process / name, std::ios::binary);
      const std::string text{std::istreambuf_iterator<char>(file), {}};
      CHECK(text.find("pit-very-secret") == std::string::npos);
      if (std::string_view(name) == "limits") CHECK(text.find("Max core file size        0  ") != std::string::npos);
    }
  }

  TEST_CASE("what cannot start says why on standard error and with its exit code") {
    GatewayProcess other({.upstream = "http://127.0.0.1:1"});
    const struct {
      std::vector<std::string> arguments, environment;
      int code;
      std::string said;
    } cases[] = {
        {{}, {}, 2, "\"event\":\"cannot_start\",\"why\":\"credentials: none given"},
        {{"--listen=0.0.0.0:0"}, {"GATEWAY_CREDENTIALS_TOKEN=x"}, 2, "\"why\":\"listen: others can reach"},
        {{"serve", "--cache.enabled", "maybe"}, {}, 2, "\"why\":\"--cache.enabled:"},
        {{"check"}, {}, 2, "contacts-gateway: credentials: none given"},
        {{"check"}, {"GATEWAY_CONFIG=/nowhere"}, 2, "contacts-gateway: /nowhere: cannot be read"},
        {{"bogus"}, {}, 2, "\"why\":\"bogus: no command"},
        {{"operations", "--listen", "x"}, {}, 2, "contacts-gateway: operations takes no"},
        {{"hash-key", "--bogus"}, {}, 2, "contacts-gateway: hash-key takes no --bogus"},
        {{"--listen=" + other.address(), "--admin.listen=127.0.0.1:0"},
         {"GATEWAY_CREDENTIALS_TOKEN=x"},
         1,
         "\"event\":\"cannot_start\""},
    };
    for (const auto& [arguments, environment, code, said] : cases) {
      Process process = program(arguments, environment);
      CAPTURE(said);
      CHECK(process.wait_for_exit(kLimit) == code);
      const std::string errors = process.output(Stream::Error);
      CHECK_MESSAGE(errors.find(said) != std::string::npos, errors);
    }
  }

  TEST_CASE("the log of a service whose settings are wrong is JSON lines, one for each thing that is wrong") {
    Process process = program({"serve", "--listen", "nowhere", "--nonsense=1"}, {});
    CHECK(process.wait_for_exit(kLimit) == 2);
    std::istringstream errors(process.output(Stream::Error));
    std::size_t lines = 0;
    for (std::string line; std::getline(errors, line); ++lines) CHECK(Json(line).text("event") == "cannot_start");
    CHECK(lines == 2);
  }

  TEST_CASE("commands print to standard output and end with 0") {
    const struct {
      std::vector<std::string> arguments;
      std::string said;
    } cases[] = {
        {{"--version"}, "contacts-gateway "},
        {{"--help"}, "--cache.memory_bytes (64MiB)"},
        {{"operations"}, "get-contact "},
        {{"operations", "--json"}, "{\"operations\":[{"},
        {{"hash-key", "--generate"}, "key_hash  sha256:"},
        {{"check", "--credentials.token_file=/proc/self/comm"}, "The settings are right.\n"},
    };
    for (const auto& [arguments, said] : cases) {
      Process process = program(arguments);
      CAPTURE(said);
      CHECK(process.wait_for_exit(kLimit) == 0);
      CHECK(process.output(Stream::Out).find(said) != std::string::npos);
    }
  }

  TEST_CASE("what cannot be written is told of, and a word that is no run is named as one") {
    for (const std::string arguments : {"operations", "--version", "--help"}) {
      CAPTURE(arguments);
      Process full(
          {.arguments = {"sh", "-c", test_support::binary_dir() + "/contacts-gateway " + arguments + " >/dev/full"},
           .environment = {},
           .unset_prefix = "GATEWAY_"});
      CHECK(full.wait_for_exit(kLimit) == 1);
      CHECK(full.output(Stream::Error) == "contacts-gateway: the standard output cannot be written\n");
    }
    auto out = program({"export", "--location", "L", "--out", "-"});
    CHECK(out.wait_for_exit(kLimit) == 2);
    CHECK(out.output(Stream::Error).find("not to standard output") != std::string::npos);
    auto wait = program({"authorize", "--wait", "-1"});
    CHECK(wait.wait_for_exit(kLimit) == 2);
    auto drop = program({"flows", "drop", "x"});
    CHECK(drop.wait_for_exit(kLimit) == 2);
    CHECK(drop.output(Stream::Error) == "contacts-gateway: expected a run as `flows list` names it, in hexadecimal\n");
  }

  TEST_CASE("clients' connections leave descriptors for everything else, however few files a process may open") {
    Process gateway(
        {.arguments = {"sh", "-c",
                       "ulimit -n 400 && exec " + test_support::binary_dir() +
                           "/contacts-gateway --server.threads 4 --listen 127.0.0.1:0 --admin.listen 127.0.0.1:0 "
                           "--upstream.url http://127.0.0.1:1"},
         .environment = {"GATEWAY_CREDENTIALS_TOKEN=pit-test"},
         .unset_prefix = "GATEWAY_"});
    const auto line = gateway.wait_for_line(Stream::Error, "connections_limited", kLimit);
    REQUIRE(line);
    CHECK(line->find("\"most\":186") != std::string::npos);
    CHECK(gateway.wait_for_line(Stream::Error, "\"listening\"", kLimit));
    gateway.signal(SIGTERM);
    CHECK(gateway.wait_for_exit(kLimit) == 0);
  }
}
