#include <doctest/doctest.h>

#include "tests/simulator/options.h"

using namespace simulator;
using namespace std::chrono_literals;

namespace {

std::string problem(const std::vector<std::string>& arguments) {
  const auto parsed = parse_command_line(arguments);
  const auto* text = std::get_if<std::string>(&parsed);
  return text == nullptr ? "" : *text;
}

}  // namespace

TEST_SUITE("command line") {
  TEST_CASE("no flags give the token, the location and the contacts that --help names") {
    const auto line = std::get<CommandLine>(parse_command_line({}));
    CHECK(line.listen == std::vector<std::string>{"127.0.0.1:8090"});
    CHECK(line.api.credentials.token == "simulator-token");
    CHECK(line.api.seeds.size() == 1);
    CHECK(line.api.seeds[0].location == "loc_demo");
    CHECK(line.api.seeds[0].contacts == 25);
  }

  TEST_CASE("flags are taken with a space and with an equals sign") {
    const auto line = std::get<CommandLine>(parse_command_line(
        {"--location", "l1=t1", "--location=l2", "--contacts", "7", "--latency=20ms-400ms", "--window", "fixed",
         "--interval=1s", "--oauth-client", "app:secret", "--refresh-token=r1=l1", "--oauth-code=c1=company:a"}));
    CHECK(line.api.seeds.size() == 2);
    CHECK(line.api.seeds[1].contacts == 7);
    CHECK(line.api.credentials.token.empty());
    CHECK(line.latency.least == 20ms);
    CHECK(line.latency.most == 400ms);
    CHECK(line.api.limits.fixed);
    CHECK(line.api.limits.interval == 1s);
    CHECK(line.refresh_tokens[0].second.location == "l1");
    CHECK(line.codes[0].second.company == "a");
  }

  TEST_CASE("a wrong flag is named with what would be right") {
    CHECK(problem({"--frobnicate"}).find("--frobnicate") != std::string::npos);
    CHECK(problem({"--limit"}) == "--limit needs a value: N");
    CHECK(problem({"--limit", "many"}).find("a whole number") != std::string::npos);
    CHECK(problem({"--interval", "10"}).find("a duration") != std::string::npos);
    CHECK(problem({"--interval", "0"}) == "--interval and --day must be longer than 0");
    CHECK(problem({"--latency", "400ms-20ms"}).find("a range") != std::string::npos);
    CHECK(problem({"--oauth-client", "app"}).find("ID:SECRET") != std::string::npos);
    CHECK(problem({"--help=x"}) == "--help takes no value");
  }

  TEST_CASE("faults are read as they are written, and others are refused with the list") {
    CHECK(std::get<Fault>(parse_fault("status=503;retry-after=2;applied")) == Fault{FaultKind::Status, 503, 2, true});
    CHECK(std::get<Fault>(parse_fault("429")).status == 429);
    CHECK(std::get<Fault>(parse_fault("latency=300ms")).pause == 300ms);
    CHECK(std::get<Fault>(parse_fault("reset-after")).applies());
    CHECK_FALSE(std::get<Fault>(parse_fault("reset-before")).applies());
    for (const char* text :
         {"", "status", "status=abc", "latency", "latency=soon", "hang=1s", "explode", "hang;applied"}) {
      CAPTURE(text);
      CHECK(std::holds_alternative<std::string>(parse_fault(text)));
    }
  }
}
