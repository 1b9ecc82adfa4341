// One entry of a catalogue file as an Operation or a Trigger: the reading and checking of `policies/catalogue/*.json`,
// apart from the matching in catalogue.h and triggers.h. Private to those two.
#pragma once

#include <string_view>
#include <vector>

#include "policies/catalogue.h"
#include "policies/triggers.h"

namespace policies {

// The operations of one file, {"resource": …, "operations": […]}, without index. Throws std::invalid_argument naming
// the entry and the member that is wrong; unknown members are wrong.
std::vector<Operation> parse_catalogue(std::string_view json);

// The events of {"triggers": […]}; throws like parse_catalogue().
std::vector<Trigger> parse_triggers(std::string_view json);

// "{contactId}" is the parameter `contactId`; nothing where the segment is a literal.
std::string_view parameter_of(std::string_view segment);

}  // namespace policies
