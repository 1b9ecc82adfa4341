// What flows stand on: JSON with lines, phones, dates, time zones, schedules, conditions, outcomes.
#include <doctest/doctest.h>

#include <filesystem>
#include <fstream>
#include <iterator>

#include "policies/flows/condition.h"
#include "policies/flows/date.h"
#include "policies/flows/flow.h"
#include "policies/flows/outcome.h"
#include "policies/flows/phone.h"
#include "policies/flows/schedule.h"

using namespace policies::flows;
using namespace std::chrono_literals;

namespace {

std::string phone(std::string_view text, std::string_view country) {
  const auto number = to_e164(text, country);
  return std::holds_alternative<std::string>(number) ? std::get<std::string>(number) : "wrong";
}

std::string file(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

Zone system_zone(const std::string& name) {
  auto zone = Zone::parse(file("/usr/share/zoneinfo/" + name));
  REQUIRE(std::holds_alternative<Zone>(zone));
  return std::get<Zone>(zone);
}

policies::WallMillis utc(std::string_view text) { return *policies::parse_timestamp(text); }

}  // namespace

TEST_SUITE("flows parts") {
  TEST_CASE("JSON keeps its numbers as written, its order, and the line of each value") {
    const std::string text = "{\n  \"b\": 1.10,\n  \"a\": [\n    12345678901234567890,\n    \"x\\ny\"\n  ]\n}";
    const auto json = std::get<Json>(parse_json(text));
    CHECK(to_text(json) == R"({"b":1.10,"a":[12345678901234567890,"x\ny"]})");
    CHECK(json.find("b")->line == 2);
    CHECK(json.find("a")->line == 3);
    CHECK((*json.find("a")->as<Array>())[1].line == 5);
    CHECK(std::get<JsonProblem>(parse_json("{\n\"a\": 1,\n\"a\": 2}")).line == 3);
    CHECK(to_text(std::get<Json>(parse_json(R"({"a":1,"b":2,"a":3})", true))) == R"({"b":2,"a":3})");
    CHECK(std::get<JsonProblem>(parse_json("{\n  oops\n}")).line == 2);
    CHECK(std::holds_alternative<JsonProblem>(parse_json(std::string(200'000, '['), true)));
    CHECK(std::holds_alternative<JsonProblem>(parse_json(std::string("{}\0x", 4), true)));
    CHECK(std::holds_alternative<JsonProblem>(parse_json("{} // c", true)));
    CHECK(std::holds_alternative<Json>(parse_json("{\"a\":1,} // c")));
  }

  TEST_CASE("phones become E.164, whatever is between their digits") {
    const struct {
      std::string_view text, country, expected;
    } cases[] = {
        {"(415) 555-2671", "US", "+14155552671"},
        {"1-415-555-2671", "US", "+14155552671"},
        {"+1 415 555 2671", "DE", "+14155552671"},
        {"415.555.2671 x12", "US", "+14155552671"},
        {"415-555-2671 ext. 9", "US", "+14155552671"},
        {"0049 30 1234567", "US", "+49301234567"},
        {"+49 (0)30 1234567", "US", "+49301234567"},
        {"030/1234567", "DE", "+49301234567"},
        {"06 12 34 56 78", "FR", "+33612345678"},
        {"020 7946 0958", "GB", "+442079460958"},
        {"06 1234 5678", "IT", "+390612345678"},
        {"91 123 45 67 89", "IN", "wrong"},
        {"+91 95095 97501", "US", "+919509597501"},
        {"+999 1234567", "US", "+9991234567"},
        {"+210 1234567", "US", "+2101234567"},
        {"+19", "US", "wrong"},
        {"+1 415 555 26711", "US", "wrong"},
        {"555", "US", "wrong"},
        {"call me", "US", "wrong"},
        {"", "US", "wrong"},
        {"+", "US", "wrong"},
        {"4155552671a", "US", "wrong"},
        {"+4912345678901234567", "US", "wrong"},
        {"415\xc2\xa0"
         "555 2671",
         "US", "+14155552671"},
    };
    for (const auto& [text, country, expected] : cases) {
      CAPTURE(text);
      CHECK(phone(text, country) == expected);
    }
  }

  TEST_CASE("zones of the tz database know their daylight saving, the years after its last entry too") {
    const auto berlin = system_zone("Europe/Berlin"), york = system_zone("America/New_York"),
               sydney = system_zone("Australia/Sydney"), kolkata = system_zone("Asia/Kolkata");
    const auto offset = [](const Zone& zone, std::string_view when) {
      return std::chrono::duration_cast<std::chrono::minutes>(
                 zone.offset_at(std::chrono::duration_cast<Seconds>(utc(when))))
          .count();
    };
    CHECK(offset(berlin, "2026-01-15T00:00:00Z") == 60);
    CHECK(offset(berlin, "2026-03-29T00:59:59Z") == 60);
    CHECK(offset(berlin, "2026-03-29T01:00:00Z") == 120);
    CHECK(offset(berlin, "2026-10-25T00:59:59Z") == 120);
    CHECK(offset(berlin, "2026-10-25T01:00:00Z") == 60);
    CHECK(offset(berlin, "2099-07-01T00:00:00Z") == 120);
    CHECK(offset(york, "2026-07-01T00:00:00Z") == -240);
    CHECK(offset(york, "2060-12-01T00:00:00Z") == -300);
    CHECK(offset(sydney, "2026-01-01T00:00:00Z") == 660);
    CHECK(offset(sydney, "2090-07-01T00:00:00Z") == 600);
    CHECK(offset(kolkata, "2026-01-01T00:00:00Z") == 330);

    const auto moment = [&](std::string_view text, const Zone& zone) {
      return iso_date_time(*parse_date(text, "iso", zone));
    };
    CHECK(moment("2026-03-29T02:30", berlin) == "2026-03-29T01:30:00.000Z");  // skipped
    CHECK(moment("2026-10-25T02:30", berlin) == "2026-10-25T00:30:00.000Z");  // twice: the earlier
    CHECK(moment("2026-11-25", york) == "2026-11-25T05:00:00.000Z");
    CHECK(moment("2026-11-25T10:00:00.5", kolkata) == "2026-11-25T04:30:00.500Z");
    CHECK(iso_date(utc("2026-11-25T23:30:00Z"), berlin) == "2026-11-26");
    CHECK(std::holds_alternative<std::string>(Zone::parse("no zone")));
    const auto whole = file("/usr/share/zoneinfo/Europe/Berlin");
    for (std::size_t size = 0; size + 40 < whole.size(); size += 7)
      CHECK_MESSAGE(std::holds_alternative<std::string>(Zone::parse(whole.substr(0, size))), size);
    CHECK(Zone::without_file("+05:30"));
    CHECK(Zone::without_file("-0800"));
    CHECK(!Zone::without_file("+5"));
    CHECK(!Zone::without_file("+25:00"));
  }

  TEST_CASE("dates are read as their format says, and days that are none are refused") {
    const auto zero = Zone::fixed(Seconds{0});
    const auto read = [&](std::string_view text, std::string_view format) {
      const auto moment = parse_date(text, format, zero);
      return moment ? iso_date_time(*moment) : "wrong";
    };
    CHECK(read("31.12.2026 23:59:59", "DD.MM.YYYY HH:mm:ss") == "2026-12-31T23:59:59.000Z");
    CHECK(read("1/2/2026", "D/M/YYYY") == "2026-02-01T00:00:00.000Z");
    CHECK(read("12:05 AM 2026-01-01", "hh:mm A YYYY-MM-DD") == "2026-01-01T00:05:00.000Z");
    CHECK(read("12:05 pm 2026-01-01", "hh:mm A YYYY-MM-DD") == "2026-01-01T12:05:00.000Z");
    CHECK(read("September 9, 2026", "MMM D, YYYY") == "2026-09-09T00:00:00.000Z");
    CHECK(read("29.02.2028", "DD.MM.YYYY") == "2028-02-29T00:00:00.000Z");
    for (const auto wrong : {"30.02.2026", "1.2.2026", "01.13.2026", "01.02.2026x", "01/02/2026", ""})
      CHECK_MESSAGE(read(wrong, "DD.MM.YYYY") == "wrong", wrong);
    CHECK(read("13:00 PM 2026-01-01", "hh:mm A YYYY-MM-DD") == "wrong");
    CHECK(parse_span("90s") == 90s);
    CHECK(parse_span("-2d") == -48h);
    for (const auto wrong : {"", "d", "1", "1y", "--1d", "999999999d"}) CHECK_MESSAGE(!parse_span(wrong), wrong);
  }

  TEST_CASE("a schedule's slots are the same for every replica, over a change of the clocks too") {
    const auto berlin = std::make_shared<const Zone>(system_zone("Europe/Berlin"));
    const auto daily = *Schedule::parse("02:30", berlin);
    CHECK(iso_date_time(daily.slot_of(utc("2026-03-28T12:00:00Z"))) == "2026-03-28T01:30:00.000Z");
    CHECK(iso_date_time(daily.slot_of(utc("2026-03-29T01:29:59Z"))) == "2026-03-28T01:30:00.000Z");
    CHECK(iso_date_time(daily.slot_of(utc("2026-03-29T01:30:00Z"))) == "2026-03-29T01:30:00.000Z");
    CHECK(iso_date_time(daily.slot_of(utc("2026-03-30T00:30:00Z"))) == "2026-03-30T00:30:00.000Z");
    CHECK(iso_date_time(daily.slot_of(utc("2026-10-25T05:00:00Z"))) == "2026-10-25T00:30:00.000Z");
    const auto quarter = *Schedule::parse("15m", berlin);
    CHECK(iso_date_time(quarter.slot_of(utc("2026-11-25T10:44:59Z"))) == "2026-11-25T10:30:00.000Z");
    CHECK(iso_date_time(quarter.slot_of(utc("2026-11-25T10:45:00Z"))) == "2026-11-25T10:45:00.000Z");
    for (const auto wrong : {"30s", "32d", "24:00", "3:30", "03:60", "often", ""})
      CHECK_MESSAGE(!Schedule::parse(wrong, berlin), wrong);
  }

  TEST_CASE("conditions hold for what they say and not for what is missing") {
    const auto known = std::get<Json>(parse_json(
        R"({"event":{"stage":"won","count":5,"score":"17.5","tags":["a","b"],"note":"call ref cg-1","none":null},"run":{},"steps":{}})"));
    const auto holds = [&](std::string_view text) {
      Problems problems;
      const auto condition = Condition::compile(std::get<Json>(parse_json(text)), "when", Scope{}, problems);
      CHECK_MESSAGE(problems.empty(), text);
      return condition.holds(known);
    };
    CHECK(Condition().holds(known));
    for (const auto yes :
         {R"({"field":"event.stage","is":"won"})", R"({"field":"event.count","is":"5"})",
          R"({"field":"event.stage","is_not":"new"})", R"({"field":"event.missing","is_not":"new"})",
          R"({"field":"event.stage","in":["new","won"]})", R"({"field":"event.stage","not_in":["new"]})",
          R"({"field":"event.stage","present":true})", R"({"field":"event.none","present":false})",
          R"({"field":"event.tags","contains":"b"})", R"({"field":"event.note","contains":"ref cg-"})",
          R"({"field":"event.count","above":4})", R"({"field":"event.score","below":17.6})",
          R"({"any":[{"field":"event.stage","is":"new"},{"field":"event.count","is":5}]})",
          R"({"not":{"field":"event.stage","is":"new"}})",
          R"([{"field":"event.stage","is":"won"},{"all":[{"field":"event.count","above":1}]}])"})
      CHECK_MESSAGE(holds(yes), yes);
    for (const auto no : {R"({"field":"event.missing","is":"won"})", R"({"field":"event.none","present":true})",
                          R"({"field":"event.stage","above":1})", R"({"field":"event.missing","contains":"x"})",
                          R"([{"field":"event.stage","is":"won"},{"field":"event.count","above":5}])"})
      CHECK_MESSAGE(!holds(no), no);
    for (const auto wrong :
         {R"("won")", R"({"field":"event.stage"})", R"({"is":"won"})", R"({"field":"event.stage","equals":"won"})",
          R"({"field":"event.stage","is":"a","in":["a"]})", R"({"field":"event.stage","in":"a"})",
          R"({"field":"event.stage","above":"a"})", R"({"any":[]})", R"({"field":"stage","is":"won"})"}) {
      Problems problems;
      Condition::compile(std::get<Json>(parse_json(wrong)), "when", Scope{}, problems);
      CHECK_MESSAGE(!problems.empty(), wrong);
    }
  }

  TEST_CASE("an answer ends a step, is waited out, tried again, held in doubt or given up") {
    const struct {
      int status;
      std::string_view refusal;
      Verdict expected;
    } cases[] = {
        {200, "", Verdict::Done},
        {201, "", Verdict::Done},
        {404, "", Verdict::Done},  // accepted below
        {400, "", Verdict::Dead},
        {422, "", Verdict::Dead},
        {401, "", Verdict::Again},
        {429, "", Verdict::Wait},
        {500, "", Verdict::Doubt},
        {503, "", Verdict::Doubt},
        {429, "queue-full", Verdict::Wait},
        {503, "circuit-open", Verdict::Wait},
        {503, "writes-not-fenced", Verdict::Wait},
        {409, "idempotency-in-progress", Verdict::Wait},
        {502, "upstream-refused", Verdict::Again},
        {502, "upstream-certificate", Verdict::Again},
        {403, "no-credentials", Verdict::Again},
        {503, "record-not-looked-up", Verdict::Again},
        {504, "upstream-timeout", Verdict::Doubt},
        {502, "upstream-reset", Verdict::Doubt},
        {409, "idempotency-in-doubt", Verdict::Doubt},
        {422, "idempotency-mismatch", Verdict::Dead},
        {404, "unknown-operation", Verdict::Dead},
        {503, "something-new", Verdict::Again},
    };
    for (const auto& [status, refusal, expected] : cases) {
      CAPTURE(status);
      CAPTURE(refusal);
      CHECK(judge({status, refusal, Repeat::Safe}, {404}) == expected);
    }
    CHECK(backoff(1, 0) == 500ms);
    CHECK(backoff(1, 1) == 1'000ms);
    CHECK(backoff(4, 0) == 4'000ms);
    CHECK(backoff(60, 1) == 600'000ms);
  }

  TEST_CASE("what is not safe to make twice is known") {
    const auto repeat = [](const char* name) { return repeat_of(*policies::Catalogue::builtin().find(name)); };
    CHECK(repeat("upsert-contact") == Repeat::Safe);
    CHECK(repeat("update-contact") == Repeat::Safe);
    CHECK(repeat("add-tags") == Repeat::Safe);
    CHECK(repeat("search-contacts-advanced") == Repeat::Safe);
    CHECK(repeat("create-task") == Repeat::Marked);
    CHECK(repeat("create-note") == Repeat::Marked);
    CHECK(repeat("create-contact") == Repeat::Unsure);
    CHECK(marked("Call her", "cg-1-call") == "Call her\n\nref cg-1-call");
    CHECK(marked("", "cg-1-call") == "ref cg-1-call");
  }
}
