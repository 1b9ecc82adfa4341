#include "policies/access.h"

#include <algorithm>

namespace policies {

std::string_view to_string(Forbidden::Reason reason) {
  switch (reason) {
    case Forbidden::Reason::Operation:
      return "This client may not use this kind of operation.";
    case Forbidden::Reason::Location:
      return "This client may not use this location; name one that it may use.";
    case Forbidden::Reason::Company:
      return "This operation reaches beyond one location, and this client may use only some.";
  }
  return "unknown";
}

std::variant<Allowed, Forbidden> access_of(const AccessRules& rules, Kind kind, std::string_view location) {
  if (kind == Kind::Write ? !rules.may_write : !rules.may_read) return Forbidden{Forbidden::Reason::Operation};
  if (!rules.restricted()) return Allowed{};
  const bool listed = !location.empty() && std::ranges::find(rules.locations, location) != rules.locations.end();
  if (!listed) return Forbidden{Forbidden::Reason::Location};
  return Allowed{};
}

std::variant<Allowed, Forbidden> access_of(const AccessRules& rules, const Operation& operation,
                                           std::string_view location) {
  if (operation.company && rules.restricted()) return Forbidden{Forbidden::Reason::Company};
  return access_of(rules, operation.kind, location);
}

int granted_urgency(const AccessRules& rules, int asked) {
  return std::clamp(asked, std::clamp(rules.best_urgency, 0, 7), 7);
}

}  // namespace policies
