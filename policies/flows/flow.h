// A flow: what starts it, when it applies, what it does. Read from a JSON file of the operator's; everything that can
// be wrong with one is found here, before anything has started, and told with its line and field. Immutable once
// compiled; any thread.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "policies/catalogue.h"
#include "policies/flows/condition.h"
#include "policies/flows/mapping.h"
#include "policies/flows/problem.h"
#include "policies/flows/repeat.h"
#include "policies/flows/schedule.h"
#include "policies/triggers.h"

namespace policies::flows {

struct Step {
  std::string name;
  const Operation* operation = nullptr;
  Condition when;
  std::vector<std::pair<std::string, Mapping>> path, query;  // by parameter
  Mapping body, location;
  std::string version;       // empty: upstream.version
  std::vector<int> accept;   // statuses besides 2xx that count as done
  std::optional<Path> each;  // a list; the step is made for each of its elements, known as "item"
  Repeat repeat = Repeat::Safe;
};

// What starts a run.
struct EventStart {
  std::vector<std::string> events;  // the vendor's names: "ContactCreate"
};
struct LeadStart {
  std::string source;  // "web-form", or "*" for every source
};
struct Flow {
  std::string name;
  std::string about;
  std::string file;
  std::variant<EventStart, LeadStart, Schedule> on;
  Condition when;
  Mapping location;     // empty: the event's own
  Mapping in_order_of;  // runs of any flow for which it gives the same are made one after another, as they came
  int attempts = 20;
  std::vector<Step> steps;

  bool on_event(std::string_view name) const;
  bool on_lead(std::string_view source) const;
};

struct FlowParts {
  const Catalogue& catalogue;
  const Triggers& triggers;
  ZoneSource zones;
};
// `file`: its name, for messages. Problems are in the order of their lines.
std::variant<Flow, Problems> compile_flow(const std::string& file, std::string_view text, const FlowParts& parts);

// The parts of it that the JSON Schema (draft 4, flow.schema.json) says: names, types, what must be there.
std::optional<Problem> schema_problem(std::string_view text, const Json& json);
std::string_view flow_schema();

// The longest list that "each" takes.
inline constexpr std::size_t kMostItems = 1'000;

}  // namespace policies::flows
