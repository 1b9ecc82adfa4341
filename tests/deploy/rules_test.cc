// The rules of deploy/prometheus by promtool, and that each alert leads to its section of the runbook.
#include <doctest/doctest.h>

#include <algorithm>
#include <cctype>
#include <fstream>
#include <iterator>
#include <sstream>

#include "tests/support/paths.h"
#include "tests/support/process.h"

using namespace test_support;

namespace {

std::string read(const std::string& path) {
  std::ifstream file(source_dir() + "/deploy/" + path, std::ios::binary);
  REQUIRE_MESSAGE(file, path);
  return {std::istreambuf_iterator<char>(file), {}};
}

std::vector<std::string> after(const std::string& text, const std::string& mark) {
  std::vector<std::string> found;
  for (auto at = text.find(mark); at != std::string::npos; at = text.find(mark, at + 1)) {
    const auto begin = at + mark.size();
    found.push_back(text.substr(begin, text.find_first_of(" \n}", begin) - begin));
  }
  return found;
}

std::string in_lower_case(std::string text) {
  std::ranges::transform(text, text.begin(), [](unsigned char c) { return std::tolower(c); });
  return text;
}

void passes(std::vector<std::string> arguments) {
  arguments.insert(arguments.begin(), "promtool");
  Process promtool({.arguments = arguments});
  CHECK_MESSAGE(promtool.wait_for_exit(milliseconds(300'000)) == 0, promtool.output(Stream::Out),
                promtool.output(Stream::Error));
}

}  // namespace

TEST_SUITE("deploy") {
  TEST_CASE("promtool takes the rules and the configuration, and its tests of every alert pass") {
    const std::string folder = source_dir() + "/deploy/prometheus/";
    passes({"check", "rules", folder + "rules/recording.yml", folder + "rules/alerts.yml"});
    passes({"check", "config", folder + "prometheus.yml"});
    passes({"test", "rules", folder + "tests/alerts_test.yml", folder + "tests/days_test.yml"});
  }

  TEST_CASE("every alert has a runbook section and a promtool test in which it fires") {
    const auto alerts = after(read("prometheus/rules/alerts.yml"), "- alert: ");
    const auto links = after(read("prometheus/rules/alerts.yml"), "runbook_url: deploy/RUNBOOK.md#");
    const auto sections = after(read("RUNBOOK.md"), "\n## ");
    REQUIRE(alerts.size() >= 11);
    REQUIRE(links.size() == alerts.size());
    const std::string tests = read("prometheus/tests/alerts_test.yml") + read("prometheus/tests/days_test.yml");
    for (std::size_t i = 0; i < alerts.size(); ++i) {
      CAPTURE(alerts[i]);
      CHECK(links[i] == in_lower_case(alerts[i]));
      CHECK(std::ranges::count(sections, alerts[i]) == 1);
      CHECK(tests.find("alertname: " + alerts[i] + "\n        exp_alerts:") != std::string::npos);
    }
    CHECK(sections.size() == alerts.size());
  }
}
