#include "policies/diagnosis.h"

#include <doctest/doctest.h>

#include <algorithm>

using namespace std::chrono_literals;
using policies::diagnose;
using policies::Finding;
using policies::LocationSigns;
using policies::Severity;
using policies::Signs;
using policies::Timeline;

namespace {

const Finding* find(const std::vector<Finding>& findings, std::string_view code) {
  const auto found = std::find_if(findings.begin(), findings.end(), [&](const auto& f) { return f.code == code; });
  return found == findings.end() ? nullptr : &*found;
}

LocationSigns location(std::string name, std::uint64_t remaining) {
  return {.name = std::move(name),
          .limit = 100,
          .remaining = remaining,
          .interval = 10s,
          .until_more = 2300ms,
          .waiting = 0,
          .daily_limit = 200'000,
          .daily_remaining = 100'000};
}

Finding finding(std::string code, std::string subject = "") {
  return {std::move(code), std::move(subject), Severity::Warning, "t", "w", "a"};
}

}  // namespace

TEST_SUITE("diagnosis") {
  TEST_CASE("nothing is wrong with a gateway that works") {
    Signs signs;
    CHECK(diagnose(signs).empty());
    signs.redis_up = true;
    signs.locations = {location("L1", 40)};
    signs.recent.requests = 1000;
    signs.recent.server_errors = 1;
    signs.recent.upstream = 100;
    signs.recent.upstream_failed = 3;
    signs.tokens = {{"L1", 1h}};
    CHECK(diagnose(signs).empty());
  }

  TEST_CASE("each sign has its finding, with words for what happens and what to do") {
    const struct {
      const char* code;
      Severity severity;
      void (*set)(Signs&);
    } cases[] = {
        {"ending", Severity::Notice, [](Signs& s) { s.ending = true; }},
        {"memory-limit", Severity::Trouble, [](Signs& s) { s.over_memory = true; }},
        {"redis-away", Severity::Trouble, [](Signs& s) { s.redis_up = false; }},
        {"unfenced-writes", Severity::Warning, [](Signs& s) { s.recent.unfenced = 1; }},
        {"upstream-failing", Severity::Trouble, [](Signs& s) { s.recent.upstream = 10, s.recent.upstream_failed = 2; }},
        {"upstream-limited", Severity::Warning, [](Signs& s) { s.recent.upstream_limited = 1; }},
        {"errors", Severity::Warning, [](Signs& s) { s.recent.requests = 10, s.recent.server_errors = 2; }},
        {"refused-queue-full", Severity::Trouble, [](Signs& s) { s.recent.rejections["queue-full"] = 1; }},
        {"refused-wait-too-long", Severity::Trouble, [](Signs& s) { s.recent.rejections["wait-too-long"] = 4; }},
        {"budget-spent", Severity::Notice, [](Signs& s) { s.locations = {location("L1", 0)}; }},
        {"paused", Severity::Warning, [](Signs& s) { s.locations = {location("L1", 5)}, s.locations[0].paused = 4s; }},
        {"daily-quota", Severity::Warning,
         [](Signs& s) { s.locations = {location("L1", 5)}, s.locations[0].daily_remaining = 9'000; }},
        {"daily-quota", Severity::Trouble,
         [](Signs& s) { s.locations = {location("L1", 5)}, s.locations[0].daily_remaining = 0; }},
        {"circuit-open", Severity::Trouble, [](Signs& s) { s.open_circuits = {"L1"}; }},
        {"token-trouble", Severity::Trouble, [](Signs& s) { s.token_troubles = {"It was revoked."}; }},
        {"token-ending", Severity::Warning,
         [](Signs& s) {
           s.tokens = {{"L1", 100s}};
         }},
        {"token-ending", Severity::Trouble,
         [](Signs& s) {
           s.tokens = {{"L1", -1s}};
         }},
        {"spans-dropped", Severity::Notice, [](Signs& s) { s.recent.spans_dropped = 1; }},
        {"log-dropped", Severity::Notice, [](Signs& s) { s.recent.log_lines_dropped = 1; }},
        {"settings-refused", Severity::Warning, [](Signs& s) { s.recent.settings_refused = 1; }},
    };
    for (const auto& [code, severity, set] : cases) {
      CAPTURE(code);
      Signs signs;
      set(signs);
      const auto findings = diagnose(signs);
      REQUIRE(findings.size() == 1);
      CHECK(findings[0].code == code);
      CHECK(findings[0].severity == severity);
      CHECK(findings[0].title.size() > 10);
      CHECK(findings[0].what.ends_with('.'));
      CHECK(findings[0].advice.ends_with('.'));
    }
  }

  TEST_CASE("a spent budget is a notice while nobody waits and a warning when somebody does, with the numbers") {
    Signs signs;
    signs.locations = {location("L1", 0)};
    signs.locations[0].waiting = 7;
    const auto findings = diagnose(signs);
    REQUIRE(findings.size() == 1);
    CHECK(findings[0].severity == Severity::Warning);
    CHECK(findings[0].subject == "L1");
    CHECK(findings[0].what ==
          "All 100 requests of 10 seconds are used; the next one is free in 3 seconds. 7 requests wait for a permit.");
  }

  TEST_CASE("a thousand spent budgets are four findings, and the worst come first") {
    Signs signs;
    signs.redis_up = false;
    for (int i = 0; i < 1000; ++i) signs.locations.push_back(location("L" + std::to_string(i), 0));
    const auto findings = diagnose(signs);
    REQUIRE(findings.size() == 5);
    CHECK(findings[0].code == "redis-away");
    CHECK(findings[4].title == "997 more locations");
    CHECK(findings[4].subject == "others");
  }

  TEST_CASE("with cache.on_redis_loss = refuse-writes a lost Redis is told as what it does") {
    Signs signs;
    signs.redis_up = false;
    signs.refuses_writes = true;
    CHECK(find(diagnose(signs), "redis-away")->what.find("refused with 503") != std::string::npos);
  }

  TEST_CASE("an incident keeps its beginning, ends when it is gone for a while, and is then the past") {
    Timeline timeline;
    timeline.observe({finding("a")}, 100s);
    timeline.observe({finding("b"), finding("a")}, 101s);
    REQUIRE(timeline.current().size() == 2);
    CHECK(timeline.current()[0].finding.code == "b");
    CHECK(timeline.current()[1].since == 100s);
    timeline.observe({}, 103s);
    CHECK(timeline.current().empty());
    CHECK(timeline.past().empty());
    timeline.observe({finding("a")}, 104s);  // it had not gone
    REQUIRE(timeline.current().size() == 1);
    CHECK(timeline.current()[0].since == 100s);
    CHECK_FALSE(timeline.current()[0].until.has_value());
    timeline.observe({}, 105s);
    for (auto now = 106s; now <= 110s; ++now) timeline.observe({}, now);
    REQUIRE(timeline.past().size() == 2);
    CHECK(timeline.past()[0].finding.code == "a");
    CHECK(timeline.past()[0].until == 105s);
    CHECK(timeline.past()[1].until == 103s);
  }

  TEST_CASE("the past is bounded, and equal codes of different locations are told apart") {
    Timeline timeline;
    std::vector<Finding> many;
    for (int i = 0; i < 80; ++i) many.push_back(finding("a", std::to_string(i)));
    timeline.observe(many, 1s);
    CHECK(timeline.current().size() == 80);
    timeline.observe({}, 2s);
    timeline.observe({}, 8s);
    CHECK(timeline.past().size() == Timeline::kKept);
  }
}
