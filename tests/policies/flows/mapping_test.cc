// The mapping language, rule by rule: what each gives for a value, for one that is missing and for one that is wrong.
#include "policies/flows/mapping.h"

#include <doctest/doctest.h>

using namespace policies::flows;

namespace {

constexpr std::string_view kEvent = R"({
  "firstName": "  Ada ", "last_name": "Lovelace", "email": " Ada@Example.COM ", "phone": "(030) 1234 567",
  "us_phone": "415-555-2671", "number_phone": 4155552671, "blank": "  ", "nothing": null, "empty": "", "none": [],
  "stage": "won", "score": "42", "count": 7, "big": 12345678901234567890123, "agrees": "yes", "on": true,
  "address": {"street": "1 Main St", "geo": {"lat": 1.50}}, "na.me": "dotted",
  "tags": ["Hot", " Lead ", "hot"], "list": "a, b ,,c", "stages": ["new", "won"],
  "born": "25/11/1990", "us_born": "11/25/1990 2:30 PM", "at": "2026-03-29T02:30", "month": "3 Feb 2026",
  "when": "2026-11-25T14:30:00+05:30", "unix": 1714032441, "local": "2026-07-01 12:00:00",
  "fields": [{"id": "f1", "value": "x"}, {"id": "f2", "value": "y"}], "items": [{"sku": "s0"}, {"sku": "s1"}]
})";

Json json_of(std::string_view text) {
  auto parsed = parse_json(text, true);
  REQUIRE(std::holds_alternative<Json>(parsed));
  return std::get<Json>(parsed);
}

// Berlin's rule is all that is needed of it here.
std::variant<std::shared_ptr<const Zone>, std::string> zone_of(std::string_view name) {
  if (auto fixed = Zone::without_file(name)) return std::make_shared<const Zone>(*fixed);
  if (name != "Europe/Berlin") return "no time zone '" + std::string(name) + "'";
  std::string bytes = "TZif2" + std::string(15 + 24, '\0');
  bytes[20 + 19] = 1;  // one type
  bytes += std::string(6, '\0');
  std::string second = "TZif2" + std::string(15 + 24, '\0');
  second[20 + 19] = 1;
  bytes += second + std::string(6, '\0') + "\nCET-1CEST,M3.5.0,M10.5.0/3\n";
  auto zone = Zone::parse(bytes);
  REQUIRE(std::holds_alternative<Zone>(zone));
  return std::make_shared<const Zone>(std::get<Zone>(zone));
}

Scope scope() {
  Scope scope;
  scope.zones = zone_of;
  scope.steps = {"contact"};
  scope.tables.emplace("tags", std::get<Object>(json_of(R"({"won":["won","customer"],"new":"new"})").value));
  return scope;
}

Json known() {
  return Json(Object{{"event", json_of(kEvent)},
                     {"run", json_of(R"({"time":"2026-11-25T10:00:00.000Z","source":"web","location":"L1"})")},
                     {"steps", json_of(R"({"contact":{"contact":{"id":"c1"}}})")}});
}

// What a mapping gives as JSON text; "dropped", "skipped", or "! FIELD WHAT".
std::string given(std::string_view mapping) {
  Problems problems;
  const auto written = json_of(mapping);
  const auto compiled = Mapping::compile(written, "body", scope(), problems);
  if (!problems.empty()) return "refused: " + problems.front().field + ": " + problems.front().what;
  const auto result = compiled.evaluate(known());
  if (const auto* error = std::get_if<MappingError>(&result)) return "! " + error->field + " " + error->what;
  if (std::holds_alternative<Mapping::Skipped>(result)) return "skipped";
  const auto& value = std::get<std::optional<Json>>(result);
  return value ? to_text(*value) : "dropped";
}

struct Case {
  std::string_view mapping, expected;
};

}  // namespace

TEST_SUITE("flows mapping") {
  TEST_CASE("each rule gives what the table says, for right values and wrong ones") {
    const Case cases[] = {
        // constants and renaming
        {R"("web form")", R"("web form")"},
        {R"(false)", "false"},
        {R"({"a":1.50,"b":[1,"x"]})", R"({"a":1.50,"b":[1,"x"]})"},
        {R"({"$const":{"$from":"event.x"}})", R"({"$from":"event.x"})"},
        {R"({"lastName":{"$from":"event.last_name"}})", R"({"lastName":"Lovelace"})"},
        // paths
        {R"({"$from":"event.address.street"})", R"("1 Main St")"},
        {R"({"$from":"event.address.geo.lat"})", "1.50"},
        {R"({"$from":"event.address.geo"})", R"({"lat":1.50})"},
        {R"({"$from":"event.items.1.sku"})", R"("s1")"},
        {R"({"$from":"event.items.2.sku"})", "dropped"},
        {R"({"$from":"event.fields[id=f2].value"})", R"("y")"},
        {R"({"$from":"event.fields[id=f9].value"})", "dropped"},
        {R"({"$from":"event.na\\.me"})", R"("dotted")"},
        {R"({"$from":"steps.contact.contact.id"})", R"("c1")"},
        {R"({"$from":"run.location"})", R"("L1")"},
        {R"({"$from":"event.big"})", "12345678901234567890123"},
        // several sources, defaults, what is empty
        {R"({"$from":["event.first_name","event.firstName"]})", R"("  Ada ")"},
        {R"({"$from":["event.blank","event.last_name"],"$trim":true})", R"("Lovelace")"},
        {R"({"$from":["event.nothing","event.empty","event.none","event.last_name"]})", R"("Lovelace")"},
        {R"({"$from":"event.missing","$default":"none"})", R"("none")"},
        {R"({"$from":"event.blank","$trim":true,"$default":{"$from":"event.last_name"}})", R"("Lovelace")"},
        {R"({"$from":"event.missing"})", "dropped"},
        {R"({"a":{"$from":"event.missing"},"b":1})", R"({"b":1})"},
        {R"({"a":{"b":{"$from":"event.missing"}}})", "dropped"},
        {R"([{"$from":"event.missing"},"x"])", R"(["x"])"},
        {R"({"$from":"event.empty","$empty":"null"})", "null"},
        {R"({"$from":"event.empty","$empty":"keep"})", R"("")"},
        {R"({"$from":"event.missing","$empty":"skip"})", "skipped"},
        {R"({"x":[{"id":"f1","value":{"$from":"event.missing","$empty":"drop-parent"}},{"id":"f2","value":1}]})",
         R"({"x":[{"id":"f2","value":1}]})"},
        {R"({"email":{"$from":"event.missing","$empty":"error"}})", "! body.email is missing or empty"},
        // texts
        {R"({"$from":"event.firstName","$trim":true})", R"("Ada")"},
        {R"({"$from":"event.email","$trim":true,"$lower":true})", R"("ada@example.com")"},
        {R"({"$from":"event.stage","$upper":true})", R"("WON")"},
        {R"({"$text":"{event.firstName} {event.last_name}"})", R"("Ada Lovelace")"},
        {R"({"$text":"{event.missing} {event.last_name}, {event.count}"})", R"("Lovelace, 7")"},
        {R"({"$text":"{event.missing}"})", "dropped"},
        {R"({"a":{"$from":"event.address","$trim":true}})", "! body.a is no text"},
        // lists
        {R"({"$from":"event.list","$split":","})", R"(["a","b","c"])"},
        {R"({"$from":"event.tags","$trim":true,"$lower":true})", R"(["hot","lead","hot"])"},
        {R"({"$all":["lead",{"$from":"event.tags","$trim":true,"$lower":true},{"$from":"event.missing"}]})",
         R"(["lead","hot"])"},
        {R"({"$from":"event.stage","$type":"list"})", R"(["won"])"},
        // tables
        {R"({"$from":"event.stage","$lookup":{"won":"Won"}})", R"("Won")"},
        {R"({"$from":"event.stage","$lookup":"tags"})", R"(["won","customer"])"},
        {R"({"$from":"event.stages","$lookup":"tags"})", R"(["new","won","customer"])"},
        {R"({"$from":"event.stage","$lookup":{"new":"New"},"$otherwise":"Other"})", R"("Other")"},
        {R"({"$from":"event.stage","$lookup":{"new":"New"},"$otherwise":null})", "dropped"},
        {R"({"tags":{"$from":"event.stage","$lookup":{"new":"New"}}})",
         "! body.tags is not in its table, and there is no $otherwise"},
        // types
        {R"({"$from":"event.score","$type":"number"})", "42"},
        {R"({"$from":"event.count","$type":"text"})", R"("7")"},
        {R"({"$from":"event.agrees","$type":"boolean"})", "true"},
        {R"({"n":{"$from":"event.last_name","$type":"number"}})", "! body.n is no number"},
        {R"({"n":{"$from":"event.last_name","$type":"boolean"}})", "! body.n is neither true nor false"},
        // phones
        {R"({"$from":"event.phone","$phone":"DE"})", R"("+49301234567")"},
        {R"({"$from":"event.us_phone","$phone":"US"})", R"("+14155552671")"},
        {R"({"$from":"event.number_phone","$phone":"US"})", R"("+14155552671")"},
        {R"({"phone":{"$from":"event.last_name","$phone":"US"}})",
         "! body.phone is no phone number: it has other characters than digits, spaces, ()-./ and +"},
        {R"({"phone":{"$from":"event.count","$phone":"US"}})",
         "! body.phone is no phone number: it has too few digits for its country"},
        // dates
        {R"({"$from":"event.when","$date":"iso"})", R"("2026-11-25T09:00:00.000Z")"},
        {R"({"$from":"event.unix","$date":"iso"})", R"("2024-04-25T08:07:21.000Z")"},
        {R"({"$from":"event.born","$date":"DD/MM/YYYY","$to":"date"})", R"("1990-11-25")"},
        {R"({"$from":"event.us_born","$date":"MM/DD/YYYY h:mm A","$zone":"-05:00"})", R"("1990-11-25T19:30:00.000Z")"},
        {R"({"$from":"event.month","$date":"D MMM YYYY","$zone":"Europe/Berlin"})", R"("2026-02-02T23:00:00.000Z")"},
        {R"({"$from":"event.local","$date":"iso","$zone":"Europe/Berlin"})", R"("2026-07-01T10:00:00.000Z")"},
        {R"({"$from":"event.at","$date":"iso","$zone":"Europe/Berlin"})", R"("2026-03-29T01:30:00.000Z")"},
        {R"({"$from":"run.time","$date":"iso","$plus":"1d"})", R"("2026-11-26T10:00:00.000Z")"},
        {R"({"$from":"run.time","$date":"iso","$plus":"-1w","$to":"date"})", R"("2026-11-18")"},
        {R"({"due":{"$from":"event.last_name","$date":"iso"}})", "! body.due is no date of the form iso"},
        {R"({"due":{"$from":"event.born","$date":"MM/DD/YYYY"}})", "! body.due is no date of the form MM/DD/YYYY"},
    };
    for (const auto& [mapping, expected] : cases) {
      CAPTURE(mapping);
      CHECK(given(mapping) == expected);
    }
    CHECK(std::size(cases) >= 60);
  }

  TEST_CASE("a rule that cannot be right is refused when the flow is loaded, with what was expected") {
    const Case cases[] = {
        {R"({"a":{"$form":"event.x"}})",
         "refused: body.a: unknown rule '$form'; there are $from $text $const $all $default $trim $lower $upper "
         "$split $phone $date $zone $plus $to $lookup $otherwise $type $empty"},
        {R"({"$from":"event.x","plain":1})",
         "refused: body: 'plain' stands beside rules; an object is either rules ($…) or plain members"},
        {R"({"$trim":true})", "refused: body: expected exactly one of $from, $text, $const and $all"},
        {R"({"$from":"event.x","$text":"y"})", "refused: body: expected exactly one of $from, $text, $const and $all"},
        {R"({"$from":"email"})", "refused: body: 'email': a path begins with one of event, run, steps: event.email?"},
        {R"({"$from":"event..x"})", "refused: body: 'event..x' is no path: a name is missing before a dot"},
        {R"({"$from":"event.x."})", "refused: body: 'event.x.' is no path: it ends with a dot"},
        {R"({"$from":"event.x[id]"})", "refused: body: 'event.x[id]' is no path: a selector looks like [id=abc]"},
        {R"({"$from":"steps.other.id"})",
         "refused: body: 'steps.other.id': no step 'other' comes before this one (contact)"},
        {R"({"$from":"run.when"})",
         "refused: body: 'run.when': of a run there are id, ref, time, kind, type, source and location"},
        {R"({"$from":"item.x"})", "refused: body: 'item' is known only in a step with \"each\""},
        {R"({"$from":7})", "refused: body: expected a path as text, like \"event.email\""},
        {R"({"$from":[]})", "refused: body: $from: expected at least one path"},
        {R"({"$text":"{event.x"})", "refused: body: $text: a { without its }"},
        {R"({"$from":"event.x","$trim":"yes"})", "refused: body: $trim: expected true or false"},
        {R"({"$from":"event.x","$lower":true,"$upper":true})", "refused: body: $lower and $upper exclude each other"},
        {R"({"$from":"event.x","$date":"DD.MM"})",
         "refused: body: $date: expected \"iso\" or a pattern with year, month and day: DD/MM/YYYY"},
        {R"({"$from":"event.x","$date":"YYYY-MM-DD z"})", "refused: body: $date: 'z' means nothing in a date's format"},
        {R"({"$from":"event.x","$zone":"UTC"})", "refused: body: $zone is of use only beside $date"},
        {R"({"$from":"event.x","$date":"iso","$zone":"Mars/Base"})", "refused: body: $zone: no time zone 'Mars/Base'"},
        {R"({"$from":"event.x","$date":"iso","$plus":"soon"})",
         "refused: body: $plus: expected a time span: 90s, 15m, 2h, 3d, 1w, with a minus for the past"},
        {R"({"$from":"event.x","$date":"iso","$to":"time"})", "refused: body: $to: expected one of date-time, date"},
        {R"({"$from":"event.x","$lookup":"stages"})",
         "refused: body: $lookup: expected a table, or the name of one of the flow's \"tables\""},
        {R"({"$from":"event.x","$otherwise":1})", "refused: body: $otherwise is of use only beside $lookup"},
        {R"({"$from":"event.x","$type":"int"})", "refused: body: $type: expected one of text, number, boolean, list"},
        {R"({"$from":"event.x","$empty":"ignore"})",
         "refused: body: $empty: expected one of drop, drop-parent, null, keep, error, skip"},
        {R"({"$all":"x"})", "refused: body: $all: expected a list, whose parts are joined to one"},
    };
    for (const auto& [mapping, expected] : cases) {
      CAPTURE(mapping);
      CHECK(given(mapping) == expected);
    }
    CHECK(given(R"({"$from":"event.x","$phone":"XX"})")
              .starts_with("refused: body: $phone: 'XX' is none of the countries known: AE, AR, "));
  }

  TEST_CASE("what a mapping says of a wrong value never holds the value") {
    CHECK(given(R"({"p":{"$from":"event.email","$phone":"US"}})").find("xample") == std::string::npos);
    CHECK(given(R"({"p":{"$from":"event.email","$date":"iso"}})").find("xample") == std::string::npos);
    CHECK(given(R"({"p":{"$from":"event.email","$lookup":{}}})").find("xample") == std::string::npos);
  }
}
