// The operations as the admin address and `contacts-gateway operations --json` tell them. Pure.
#pragma once

#include <string>

#include "policies/catalogue.h"

namespace gateway::admin {

// {"operations":[{"name":…,"method":…,"path":…,"resource":…,"kind":…,"scope":…,"idempotent":…,"keys":[…],"fresh_ms":…,
// …}]}
std::string operations_json(const policies::Catalogue& catalogue);

// A table for people, a line an operation.
std::string operations_table(const policies::Catalogue& catalogue);

}  // namespace gateway::admin
