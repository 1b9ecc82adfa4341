#include "gateway/metrics/families.h"

namespace gateway::metrics {

namespace {

using namespace std::chrono_literals;

constexpr FamilyInfo kGauges[] = {
    {"gateway_cache_bytes", "Bytes held by the memory tier."},
    {"gateway_cache_entries", "Entries held by the memory tier."},
    {"gateway_cache_evictions_total", "Entries dropped from the memory tier to make room."},
    {"gateway_rate_limit_queue_depth", "Requests waiting for a permit, by location."},
    {"gateway_rate_limit_remaining", "Requests left in the window (interval or day), by location."},
    {"gateway_rate_limit_reset_timestamp_seconds", "When the window (day) ends, seconds since 1970, by location."},
    {"gateway_upstream_circuit_open", "1 while the circuit to the upstream is open, by location."},
    {"gateway_token_expiry_timestamp_seconds", "When the access token ends, seconds since 1970, by location."},
    {"gateway_memory_limit_bytes", "server.memory_limit in bytes; 0: none."},
    {"gateway_memory_refusing", "1 while requests are refused because the process is over server.memory_limit."},
    {"gateway_memory_refusals_total", "Requests refused because the process was over server.memory_limit."},
    {"gateway_trace_spans_total",
     "Spans for the collector, by result: sent, dropped (the queue was full), failed (not taken)."},
    {"gateway_redis_up", "1 while Redis is connected."},
    {"gateway_connections", "Client connections open."},
};

constexpr std::chrono::nanoseconds kRequestBounds[] = {5us,   10us,   25us, 50us,   100us, 250us, 500us,
                                                       1ms,   2500us, 5ms,  10ms,   25ms,  50ms,  100ms,
                                                       250ms, 500ms,  1s,   2500ms, 5s,    10s,   30s};
constexpr std::chrono::nanoseconds kUpstreamBounds[] = {5ms,   10ms,  20ms, 30ms,   50ms, 75ms, 100ms, 150ms,
                                                        250ms, 500ms, 1s,   2500ms, 5s,   10s,  30s,   60s};
constexpr std::chrono::nanoseconds kWaitBounds[] = {1ms, 5ms, 25ms,   100ms, 250ms, 500ms, 1s, 2s,
                                                    3s,  5s,  7500ms, 10s,   15s,   20s,   30s};
constexpr std::chrono::nanoseconds kRedisBounds[] = {50us, 100us, 250us, 500us, 1ms,   2500us, 5ms,
                                                     10ms, 25ms,  50ms,  100ms, 250ms, 500ms,  1s};

static_assert(std::size(kRequestBounds) <= Histogram::kMostBounds);

}  // namespace

std::span<const FamilyInfo> gauge_families() { return kGauges; }
Bounds request_bounds() { return kRequestBounds; }
Bounds upstream_bounds() { return kUpstreamBounds; }
Bounds wait_bounds() { return kWaitBounds; }
Bounds redis_bounds() { return kRedisBounds; }

}  // namespace gateway::metrics
