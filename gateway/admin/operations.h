// The operations, the gateway's own paths, and the events that the upstream may send, as the admin address and
// `contacts-gateway operations --json` tell them. Pure.
#pragma once

#include <string>

#include "policies/catalogue.h"
#include "policies/triggers.h"

namespace gateway::admin {

// {"operations":[{"name":…,"method":…,"path":…,"resource":…,"kind":…,"scope":…,"idempotent":…,"keys":[…],"fresh_ms":…,
// …}],"own":[the same],"triggers":[{"name":…,"types":[…],"keys":[…],"settle_ms":…}]}
std::string operations_json(const policies::Catalogue& catalogue, const policies::Catalogue& own,
                            const policies::Triggers& triggers);

// A table for people, a line an operation, then a line a path of the gateway's own, then a line an event.
std::string operations_table(const policies::Catalogue& catalogue, const policies::Catalogue& own,
                             const policies::Triggers& triggers);

}  // namespace gateway::admin
