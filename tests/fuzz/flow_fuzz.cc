// A flow file, an event and a time zone file of anybody's: whatever their bytes are, a flow is refused or its mappings
// give something, and nothing is read that is not there.
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "policies/flows/date.h"
#include "policies/flows/flow.h"
#include "policies/flows/phone.h"

using namespace policies::flows;

namespace {

constexpr std::string_view kMapping =
    R"({"a":{"$from":["event.a","event.b.0","event.c[id=x].v"],"$trim":true,"$lower":true,"$default":"d"},
        "p":{"$from":"event.p","$phone":"US"},"d":{"$from":"event.d","$date":"iso"},
        "m":{"$from":"event.d","$date":"DD/MM/YYYY hh:mm A"},"t":{"$text":"{event.a} {event.p}"},
        "l":{"$all":[{"$from":"event.a","$split":","},"x"]},"n":{"$from":"event.n","$type":"number"}})";

const ZoneSource& zones() {
  static const ZoneSource source = [](std::string_view name) -> std::variant<std::shared_ptr<const Zone>, std::string> {
    if (auto fixed = Zone::without_file(name)) return std::make_shared<const Zone>(*fixed);
    return "none";
  };
  return source;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  compile_flow("flow.json", text, {policies::Catalogue::builtin(), policies::Triggers::builtin(), zones()});
  if (const auto zone = Zone::parse(text); std::holds_alternative<Zone>(zone))
    for (const std::int64_t moment : {-5'000'000'000LL, 0LL, 1'700'000'000LL, 4'000'000'000LL})
      std::get<Zone>(zone).to_utc(Seconds(moment));
  to_e164(text, "DE");
  date_format_problem(text);
  parse_date(text, "D MMM YYYY HH:mm:ss", Zone::fixed(Seconds(3'600)));

  static const Mapping mapping = [] {
    Scope scope;
    scope.zones = zones();
    Problems problems;
    return Mapping::compile(std::get<Json>(parse_json(kMapping)), "body", scope, problems);
  }();
  auto event = parse_json(text, true);
  if (auto* json = std::get_if<Json>(&event)) {
    const Json known(Object{{"event", std::move(*json)}, {"run", Json(Object())}, {"steps", Json(Object())}});
    to_text(known);
    mapping.evaluate(known);
  }
  return 0;
}
