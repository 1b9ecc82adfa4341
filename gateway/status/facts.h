// What the status page is told once, from the settings and the host. Made at the start; values only, any thread.
#pragma once

#include "gateway/config/settings.h"
#include "gateway/metrics/metrics.h"
#include "gateway/status/snapshot.h"

namespace gateway::status {

Facts make_facts(const config::Settings& settings, const metrics::Metrics& metrics);

}  // namespace gateway::status
