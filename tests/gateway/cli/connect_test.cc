#include "gateway/cli/connect.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <memory>
#include <sstream>
#include <string>

#include "gateway/server/server.h"

namespace server = gateway::server;

namespace {

// Answers with the status that the token names: "pit-401".
class TokenDecides : public server::Handler {
 public:
  explicit TokenDecides(std::string& seen) : seen_(seen) {}

  void on_request(const server::RequestView& request, server::Reply reply) override {
    seen_.append(request.target)
        .append(" ")
        .append(policies::find_field(request.fields, "Version").value_or("none"))
        .append("\n");
    const auto token = policies::find_field(request.fields, "Authorization").value_or("");
    server::Response response;
    response.status = std::stoi(std::string(token.substr(token.rfind('-') + 1)));
    response.fields = {
        {"X-RateLimit-Max", "100"}, {"X-RateLimit-Remaining", "97"}, {"X-RateLimit-Interval-Milliseconds", "10000"}};
    reply.send(std::move(response));
  }

 private:
  std::string& seen_;
};

struct Tried {
  bool ok = false;
  gateway::cli::ExitCode code = gateway::cli::kDone;
  std::string text, seen;
};

Tried tried(const std::string& token, const std::string& location_token = "") {
  Tried result;
  server::Server upstream({.name = "test", .addresses = {"127.0.0.1:0"}, .threads = 1, .limits = {}},
                          [&result](std::size_t) { return std::make_unique<TokenDecides>(result.seen); });
  upstream.start();
  gateway::config::Settings settings;
  settings.upstream.url = "http://" + upstream.addresses().front();
  settings.credentials.token.value = token;
  if (!location_token.empty()) settings.credentials.locations["L1"].value = location_token;
  std::ostringstream out;
  result.code = gateway::cli::try_connections(settings, out);
  result.ok = result.code == gateway::cli::kDone;
  upstream.stop();
  result.text = out.str();
  return result;
}

}  // namespace

TEST_SUITE("cli") {
  TEST_CASE("check --connect says what became of each credential") {
    const struct {
      std::string token;
      bool ok;
      std::string said;
    } cases[] = {
        {"pit-200", true, "accepted (status 200, Version 2021-07-28)"},
        {"pit-422", true, "accepted (status 422"},
        {"pit-429", true, "accepted, and its rate limit is used up (status 429"},
        {"pit-401", false, "refused: the token is wrong or has ended"},
        {"pit-403", false, "refused: the token lacks the scope"},
        {"pit-404", false, "nothing is there"},
        {"pit-503", false, "the upstream is failing"},
    };
    for (const auto& [token, ok, said] : cases) {
      const Tried result = tried(token);
      CHECK(result.ok == ok);
      CHECK_MESSAGE(result.text.find(said) != std::string::npos, result.text);
      CHECK_MESSAGE(result.text.find(ok ? "ok    credentials.token " : "FAIL  credentials.token ") != std::string::npos,
                    result.text);
      CHECK(result.text.find("pit-") == std::string::npos);
    }
  }

  TEST_CASE("check --connect tries each location's token with its location, and one failure is a failure") {
    const Tried result = tried("pit-200", "pit-401");
    CHECK(result.code == gateway::cli::kCredential);
    CHECK(result.seen == "/contacts/?limit=1 2021-07-28\n/contacts/?limit=1&locationId=L1 2021-07-28\n");
    CHECK(result.text.find("ok    credentials.token ") != std::string::npos);
    CHECK(result.text.find("FAIL  credentials.locations.L1.token ") != std::string::npos);
    CHECK(result.text.find("97 of 100 left in 10000 ms") != std::string::npos);
    CHECK(result.text.find("ok    clock ") != std::string::npos);
  }

  TEST_CASE("check --connect says why the upstream cannot be reached, once") {
    gateway::config::Settings settings;
    settings.credentials.token.value = "pit-200";
    settings.credentials.locations["L1"].value = "pit-200";
    settings.upstream.url = "http://127.0.0.1:1";
    std::ostringstream out;
    CHECK(gateway::cli::try_connections(settings, out) == gateway::cli::kFailed);
    const std::string text = out.str();
    CHECK_MESSAGE(text.starts_with("FAIL  http://127.0.0.1:1 "), text);
    CHECK(text.find("FAIL", 1) == std::string::npos);
    settings.upstream.ca_file = "/nowhere.pem";
    settings.upstream.url = "https://127.0.0.1:1";
    CHECK(gateway::cli::try_connections(settings, out) == gateway::cli::kFailed);
  }

  TEST_CASE("the clock's difference comes from the Date field") {
    const auto now = std::chrono::sys_days{std::chrono::year{2026} / 11 / 22} + std::chrono::hours(12);
    using gateway::cli::clock_difference;
    CHECK(clock_difference("Sun, 22 Nov 2026 12:00:05 GMT", now) == std::chrono::seconds(5));
    CHECK(clock_difference("Sun, 22 Nov 2026 11:00:00 GMT", now) == std::chrono::seconds(-3600));
    for (const char* wrong : {"", "yesterday", "Sun, 22 Nov 2026 12:00:05 GMT+1", "Sun, 22 Nov 2026"})
      CHECK_FALSE(clock_difference(wrong, now).has_value());
  }
}
