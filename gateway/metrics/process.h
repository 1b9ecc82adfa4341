// The `process_*` metrics every Prometheus client has, from /proc/self. Values that cannot be read are left out. Any
// thread.
#pragma once

#include <prometheus/metric_family.h>

#include <vector>

namespace gateway::metrics {

std::vector<prometheus::MetricFamily> process_families();

// What the process holds in memory now; 0 where /proc does not tell. Some ten microseconds.
std::uint64_t resident_bytes();

}  // namespace gateway::metrics
