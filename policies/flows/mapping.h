// The mapping language: a JSON value in which objects whose names begin with $ are rules, filled from what a run knows
// (README, "Leads and flows", has the table). Compiled once when the flow is loaded, so that a misspelt rule, path,
// table, country or zone stops the start; evaluated for each step. Immutable; any thread.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "policies/flows/json.h"
#include "policies/flows/path.h"
#include "policies/flows/problem.h"
#include "policies/flows/zone.h"

namespace policies::flows {

// A zone by its name, or why there is none.
using ZoneSource = std::function<std::variant<std::shared_ptr<const Zone>, std::string>(std::string_view name)>;

// What the rules of one place may refer to.
struct Scope {
  std::map<std::string, Object> tables;  // the flow's "tables"
  ZoneSource zones;
  std::vector<std::string> steps;  // that come before
  bool item = false;               // inside "each"
};

// The path of a rule or a condition, its root and what comes after it checked against the scope.
std::optional<Path> compile_path(const Json& written, const std::string& field, const Scope& scope, Problems& problems);

struct MappingError {
  std::string field;  // "body.phone"
  std::string what;   // without the value, which may be personal
};

class Mapping {
 public:
  Mapping() = default;  // gives nothing
  // What is wrong is added to `problems`; the result is then not to be used.
  static Mapping compile(const Json& written, const std::string& field, const Scope& scope, Problems& problems);

  explicit operator bool() const { return node_ != nullptr; }
  // Nothing: it is dropped. Skipped: a rule says that the step is not to be made.
  struct Skipped {};
  using Result = std::variant<std::optional<Json>, MappingError, Skipped>;
  // `known`: {"event":…, "run":…, "steps":…, "item":…}
  Result evaluate(const Json& known) const;

  struct Node;

 private:
  std::shared_ptr<const Node> node_;
};

}  // namespace policies::flows
