// Flow files: the shipped ones are right, and a broken one is told with its line and field.
#include "policies/flows/flow.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>

#include "tests/support/paths.h"

using namespace policies::flows;

namespace {

std::variant<Flow, Problems> compile(std::string_view text) {
  const ZoneSource zones = [](std::string_view name) -> std::variant<std::shared_ptr<const Zone>, std::string> {
    if (auto fixed = Zone::without_file(name)) return std::make_shared<const Zone>(*fixed);
    return "no time zone '" + std::string(name) + "'";
  };
  return compile_flow("flow.json", text, {policies::Catalogue::builtin(), policies::Triggers::builtin(), zones});
}

std::string said(std::string_view text) {
  const auto compiled = compile(text);
  if (std::holds_alternative<Flow>(compiled)) return "right";
  const auto& problem = std::get<Problems>(compiled).front();
  return std::to_string(problem.line) + " " + problem.field + ": " + problem.what;
}

// A right flow with one part put in another's place.
std::string with(std::string_view part, std::string_view instead) {
  std::string flow = R"({
"name": "lead",
"on": { "lead": "web" },
"do": [
{ "step": "contact", "operation": "upsert-contact",
"body": { "email": { "$from": "event.email" } } },
{ "step": "task", "operation": "create-task",
"path": { "contactId": { "$from": "steps.contact.contact.id" } },
"body": { "title": "Call" } }
] })";
  const auto at = flow.find(part);
  REQUIRE(at != std::string::npos);
  return flow.replace(at, part.size(), instead);
}

}  // namespace

TEST_SUITE("flows files") {
  TEST_CASE("the shipped flows are right") {
    std::size_t count = 0;
    for (const auto& entry : std::filesystem::directory_iterator(test_support::source_dir() + "/policies/flows")) {
      const auto name = entry.path().filename().string();
      if (!name.ends_with(".json") || name.ends_with(".schema.json")) continue;
      std::ifstream in(entry.path(), std::ios::binary);
      const auto compiled = compile(std::string(std::istreambuf_iterator<char>(in), {}));
      const auto* problems = std::get_if<Problems>(&compiled);
      CHECK_MESSAGE(problems == nullptr, name, ":", problems ? problems->front().line : 0, " ",
                    problems ? problems->front().field + " " + problems->front().what : "");
      if (problems != nullptr) continue;
      const auto& flow = std::get<Flow>(compiled);
      CHECK(flow.name + ".json" == name);
      CHECK(!flow.about.empty());
      ++count;
    }
    CHECK(count == 5);
  }

  TEST_CASE("a broken flow is told with its line, its field and what was expected") {
    const struct {
      std::string text, expected;
    } cases[] = {
        {with("lead", "lead"), "right"},
        {"", "1 : not JSON: The document is empty."},
        {"{\n \"name\": lead }", "2 : not JSON: Invalid value."},
        {"[1]", "1 : expected object"},
        {with("\"name\": \"lead\",", ""), "1 name: is missing"},
        {with("\"name\": \"lead\"", "\"name\": 7"), "2 name: expected string"},
        {with("\"name\": \"lead\"", "\"name\": \"Lead Created\""), "2 name: expected ^[a-z0-9][a-z0-9-]*$"},
        {with("\"name\": \"lead\"", "\"nmae\": \"x\", \"name\": \"lead\""),
         "2 nmae: unknown; there are name, about, on, when, location, in_order_of, tables, attempts, do"},
        {with("\"name\": \"lead\"", "\"nmae\": {\"x\": 1}, \"name\": \"lead\""),
         "2 nmae: unknown; there are name, about, on, when, location, in_order_of, tables, attempts, do"},
        {with("\"name\": \"lead\"", "\"name\": \"a\", \"name\": \"lead\""), "2 : 'name' is given twice"},
        {with("{ \"lead\": \"web\" }", "{ \"lead\": \"web\", \"event\": \"ContactCreate\" }"),
         "3 on: expected exactly one of event, lead and every (with its zone)"},
        {with("{ \"lead\": \"web\" }", "{ \"event\": \"ContactMade\" }"),
         "3 on.event: no event 'ContactMade'; `contacts-gateway operations` lists them"},
        {with("{ \"lead\": \"web\" }", "{ \"every\": \"soon\" }"),
         "3 on.every: expected an interval from 1m to 31d (15m, 6h, 1d) or a time of day (03:30)"},
        {with("{ \"lead\": \"web\" }", "{ \"every\": \"03:30\", \"zone\": \"Mars/Base\" }"),
         "3 on.zone: no time zone 'Mars/Base'"},
        {with("{ \"lead\": \"web\" }", "{ \"lead\": \"../x\" }"), "3 on.lead: expected ^([A-Za-z0-9._-]+|[*])$"},
        {with("upsert-contact", "upsert-contct"),
         "5 do[0].operation: no operation 'upsert-contct'; `contacts-gateway operations` lists them"},
        {with("\"step\": \"contact\", ", ""), "5 do[0].step: is missing"},
        {with("\"step\": \"task\"", "\"step\": \"contact\""), "7 do[1].step: another step is called 'contact'"},
        {with("\"title\": \"Call\"", "\"title\": { \"$from\": \"event.a\", \"$phone\": \"ZZ\" }").substr(0, 0) +
             with("{ \"$from\": \"event.email\" }", "{ \"$from\": \"event.email\", \"$lower\": \"yes\" }"),
         "6 do[0].body.email: $lower: expected true or false"},
        {with("{ \"$from\": \"event.email\" }", "{ \"$from\": \"lead.email\" }"),
         "6 do[0].body.email: 'lead.email': a path begins with one of event, run, steps: event.lead.email?"},
        {with("steps.contact.contact.id", "steps.contcat.contact.id"),
         "8 do[1].path.contactId: 'steps.contcat.contact.id': no step 'contcat' comes before this one (contact)"},
        {with("\"contactId\":", "\"contact\":"),
         "8 do[1].path.contactId: is missing; the path is /contacts/{contactId}/tasks"},
        {with("\"body\": { \"title\": \"Call\" }", "\"once\": true"),
         "7 do[1].body: is missing: what create-task makes is marked in it"},
        {with("\"operation\": \"upsert-contact\"", "\"operation\": \"upsert-contact\", \"once\": true"),
         "5 do[0].once: is for operations that make a task or a note"},
        {with("\"operation\": \"upsert-contact\"", "\"operation\": \"upsert-contact\", \"accept\": [200]"),
         "5 do[0].accept[0]: expected at least 300"},
        {with("\"operation\": \"upsert-contact\"",
              "\"operation\": \"upsert-contact\", \"when\": {\"field\":\"event.x\"}"),
         "5 do[0].when: says nothing about its field: is, in, present, …"},
        {with("\"name\": \"lead\"", "\"name\": \"lead\", \"attempts\": 0"), "2 attempts: expected at least 1"},
        {with("\"name\": \"lead\"", "\"name\": \"lead\", \"tables\": { \"a\": 1 }"), "2 tables.a: expected object"},
    };
    for (const auto& [text, expected] : cases) {
      CAPTURE(text);
      CHECK(said(text) == expected);
    }
  }

  TEST_CASE("all problems of a file are told, in the order of its lines") {
    auto text = with("event.email", "email");
    text.replace(text.find("steps.contact.contact.id"), 24, "steps.x");
    const auto compiled = compile(text);
    REQUIRE(std::holds_alternative<Problems>(compiled));
    const auto& problems = std::get<Problems>(compiled);
    REQUIRE(problems.size() == 2);
    CHECK(problems[0].line == 6);
    CHECK(problems[1].line == 8);
  }
}
