// How this process is known in `Via` (RFC 9110 section 7.6.3) to those that its requests pass: by a name of its own, so
// that a request which comes back is seen, while gateways that stand one behind the other on purpose, replicas of one
// included, are told apart. In answers all of them are `contacts-gateway`. Any thread.
#pragma once

#include <string>

#include "policies/fields.h"

namespace gateway::exchange {

const std::string& own_via();  // "1.1 contacts-gateway-0123456789abcdef"
bool was_here(policies::FieldsView request);

}  // namespace gateway::exchange
