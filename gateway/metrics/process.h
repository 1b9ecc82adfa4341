// The `process_*` metrics every Prometheus client has, from /proc/self. Values that cannot be read are left out. Any
// thread.
#pragma once

#include <prometheus/metric_family.h>

#include <vector>

namespace gateway::metrics {

std::vector<prometheus::MetricFamily> process_families();

}  // namespace gateway::metrics
