// What only makes sense together: each setting is right by itself, and still the gateway must not start like this.
// Pure.
#pragma once

#include "gateway/config/given.h"
#include "gateway/config/settings.h"

namespace gateway::config {

// One line for each contradiction, saying how to proceed; empty: the gateway may start.
Problems contradictions(const Settings& settings);

}  // namespace gateway::config
