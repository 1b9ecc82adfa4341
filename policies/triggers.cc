#include "policies/triggers.h"

#include <algorithm>
#include <stdexcept>

#include "policies/catalogue_entry.h"
#include "policies/surrogate_keys.h"

namespace embedded {
extern const char events_catalogue[];
}

namespace policies {

const Triggers& Triggers::builtin() {
  static const Triggers triggers(embedded::events_catalogue);
  return triggers;
}

Triggers::Triggers(std::string_view json) {
  for (auto& trigger : parse_triggers(json)) {
    for (const auto& type : trigger.types)
      if (find(type) != nullptr)
        throw std::invalid_argument("catalogue: " + trigger.name + ": has the type of another event");
    all_.push_back(std::move(trigger));
  }
}

const Trigger* Triggers::find(std::string_view type) const {
  const auto found = std::ranges::find_if(
      all_, [&](const Trigger& each) { return std::ranges::find(each.types, type) != each.types.end(); });
  return found == all_.end() ? nullptr : &*found;
}

std::vector<std::string> keys_of_event(const Trigger& trigger, std::string_view body) {
  return keys_of_body(trigger.keys, trigger.keys_if_unknown, body);
}

}  // namespace policies
