// "when": whether a flow or a step applies to what a run knows. Immutable; any thread.
//   {"field": PATH, "is": X | "is_not": X | "in": [X] | "not_in": [X] | "present": true | "contains": X |
//    "above": N | "below": N}        {"any": [C]}   {"all": [C]}   {"not": C}        a list is "all"
#pragma once

#include <memory>
#include <string>

#include "policies/flows/mapping.h"

namespace policies::flows {

class Condition {
 public:
  Condition() = default;  // always holds
  static Condition compile(const Json& written, const std::string& field, const Scope& scope, Problems& problems);
  bool holds(const Json& known) const;

  struct Node;

 private:
  std::shared_ptr<const Node> node_;
};

}  // namespace policies::flows
