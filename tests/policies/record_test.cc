#include "policies/record.h"

#include <doctest/doctest.h>

#include "policies/json_slices.h"
#include "policies/json_strings.h"
#include "policies/query.h"
#include "policies/record_cursor.h"

using namespace policies;

namespace {

std::string children(std::string_view json) {
  std::string told;
  const bool whole = json_children(json, [&](std::string_view name, std::string_view value) {
    told.append(name).append("=").append(value).append("|");
  });
  return told + (whole ? "whole" : "broken");
}

std::string record(const std::vector<PartAnswer>& parts) {
  std::string out;
  append_record(out, R"({"id":"c1"})", parts);
  return out + "}";
}

}  // namespace

TEST_SUITE_BEGIN("record");

TEST_CASE("values are found as the bytes that were sent") {
  CHECK(children(R"({ "a" : 1.50 , "b":[ 1 , {"c":"]"} ],"\u0063": "x\u0041" , "d":{},"e":null})") ==
        R"(a=1.50|b=[ 1 , {"c":"]"} ]|c="x\u0041"|d={}|e=null|whole)");
  CHECK(children(" [ {\"a\":[[1]]} ,2, \"s\" ] ") == R"(={"a":[[1]]}|=2|="s"|whole)");
  CHECK(children("[]") == "whole");
  CHECK(children("{}") == "whole");
  CHECK(children("[12345678901234567890123]") == "=12345678901234567890123|whole");
  CHECK(children("17") == "broken");
  CHECK(children("") == "broken");
  CHECK(children(R"({"a":1)") == "a=1|broken");
  CHECK(children(R"({"a":1}x)") == "a=1|broken");
  CHECK(children(std::string(100'000, '[')).ends_with("broken"));
  CHECK(json_member(R"({"a":{"b":2},"b":3})", "b") == "3");
  CHECK_FALSE(json_member(R"({"a":{"b":2}})", "b"));
  CHECK_FALSE(json_member(R"([{"b":2}])", "b"));
  CHECK_FALSE(json_member(R"({"b":2)", "b"));
}

TEST_CASE("a byte order mark before a JSON text hides nothing of it") {
  const std::string json = "\xEF\xBB\xBF {\"a\": [1], \"b\": {\"c\": \"x\"}}";
  CHECK(children(json) == R"(a=[1]|b={"c": "x"}|whole)");
  CHECK(json_member(json, "a") == "[1]");
  std::string found;
  CHECK(json_strings(json, "b.c", [&](std::string_view value) { found = value; }) == JsonText::Whole);
  CHECK(found == "x");
  CHECK(children("\xEF\xBB\xBF") == "broken");
}

TEST_CASE("parts are named in any order, and an unknown one is told") {
  CHECK(std::get<Parts>(parse_parts("")) == 0);
  CHECK(std::get<Parts>(parse_parts("tasks,notes,tasks")) == 3);
  CHECK(std::get<Parts>(parse_parts("notes,tasks,appointments")) == kAllParts);
  CHECK(std::get<UnknownPart>(parse_parts("notes,deals")).name == "deals");
  CHECK(std::get<UnknownPart>(parse_parts("Notes")).name == "Notes");
  CHECK(std::get<UnknownPart>(parse_parts(",notes")).name.empty());
  CHECK(known_parts() == "notes, tasks, appointments");
}

TEST_CASE("an include that is said in several is taken together") {
  CHECK_FALSE(include_of("").has_value());
  CHECK_FALSE(include_of("includes=notes&x=include").has_value());
  CHECK(include_of("include=") == "");
  CHECK(include_of("include=tasks&x=1&include=notes") == "tasks,notes");
  CHECK(include_of("include[]=tasks&include%5B%5D=notes&include=") == "tasks,notes");
  CHECK(include_of("include=notes,tasks") == "notes,tasks");
}

TEST_CASE("a contact is an object, whatever else stands under its name") {
  CHECK(contact_of(R"({"contact": {"id":"a"} })") == R"({"id":"a"})");
  for (const std::string_view body : {R"({"contact":null})", R"({"contact":[]})", R"({"contact":"a"})", "{}", ""})
    CHECK_FALSE(contact_of(body).has_value());
}

TEST_CASE("a record holds its parts as they came, and a part that failed under its name with its problem") {
  CHECK(record({}) == R"({"contact":{"id":"c1"}})");
  const std::vector<PartAnswer> whole{{0, 200, R"({"notes":[{"n":1.0}]})"}, {2, 200, R"({"events":[]})"}};
  CHECK(record(whole) == R"({"contact":{"id":"c1"},"notes":[{"n":1.0}],"appointments":[]})");
  CHECK(is_whole(whole));
  const std::string problem = R"({"type":"t","title":"u","status":502})";
  const std::vector<PartAnswer> partly{{0, 502, problem}, {1, 200, R"({"tasks":[]})"}, {2, 400, R"({"message":"no"})"}};
  CHECK_FALSE(is_whole(partly));
  CHECK(record(partly) ==
        R"({"contact":{"id":"c1"},"tasks":[],"problems":{"notes":)" + problem +
            R"(,"appointments":{"type":"https://contacts-gateway.dev/problems/upstream-refused","title":)"
            R"("The upstream refused it","status":400,"upstream":{"message":"no"}}}})");
  for (const std::string_view garbage :
       {"", "<html>", R"({"note":[]})", R"({"notes":[)", R"({"notes":null})", R"({"notes":{}})", R"({"notes":"x"})"}) {
    const std::vector<PartAnswer> parts{{0, 200, garbage}};
    CHECK_FALSE(is_whole(parts));
    CHECK(record(parts).find("upstream-unreadable") != std::string::npos);
    CHECK(json_member(record(parts), "problems"));
  }
  CHECK(json_member(record({{0, 500, "no \"JSON\""}}), "problems"));
}

TEST_CASE("a cursor comes back as it was, and a changed one does not") {
  const RecordCursor cursor{"loc/1 %", 5, {1'700'000'000'123, "a-b_c"}, "c~9", -5, 99'999, true};
  const auto text = encode(cursor);
  CHECK(text.find_first_not_of("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_") ==
        std::string::npos);
  CHECK(decode_cursor(text) == cursor);
  CHECK(decode_cursor(encode({})) == RecordCursor{});
  for (std::size_t i = 0; i < text.size(); ++i) {
    std::string changed = text;
    changed[i] = changed[i] == 'A' ? 'B' : 'A';
    const auto read = decode_cursor(changed);
    CHECK_FALSE((read && *read != cursor));  // the last letter has bits that say nothing
    CHECK_FALSE(decode_cursor(text.substr(0, i)));
  }
  for (const std::string_view wrong : {"", "!", "AAAA", "MS8v"}) CHECK_FALSE(decode_cursor(wrong));
  CHECK_FALSE(decode_cursor(std::string(100'000, 'A')));
  // Of the build before this one, which did not keep whether upstream had told.
  const RecordCursor before{"loc", 1, {17, "a"}, "b", 18, 3};
  CHECK(decode_cursor("MS9sb2MvMS8xNy9hL2IvMTgvMy8xMjkzNDg0MDk1OTE0MDk4MjY2") == before);
}

TEST_CASE("a query's parameters are decoded") {
  CHECK(query_parameter("a=1&include=notes%2Ctasks&include=x", "include") == "notes,tasks");
  CHECK(query_parameter("a+b=c+d", "a b") == "c d");
  CHECK(query_parameter("flag&&x=", "flag") == "");
  CHECK(query_parameter("x=a=b", "x") == "a=b");
  CHECK_FALSE(query_parameter("", "x"));
}

TEST_SUITE_END();
