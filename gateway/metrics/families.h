// The names, types and HELP texts of every metric, and the histograms' buckets. Prometheus'
// conventions: base units, seconds and bytes; counters end in _total.
#pragma once

#include <chrono>
#include <span>
#include <string_view>

#include "gateway/metrics/counts.h"

namespace gateway::metrics {

struct FamilyInfo {
  std::string_view name;
  std::string_view help;
};

namespace family {
inline constexpr FamilyInfo kRequests{"gateway_requests_total",
                                      "Requests answered, by operation, method, status and client."};
inline constexpr FamilyInfo kRequestDuration{
    "gateway_request_duration_seconds",
    "From a request's last byte to its answer handed out, in seconds, by operation and cache result."};
inline constexpr FamilyInfo kCacheRequests{"gateway_cache_requests_total",
                                           "Requests by cache result and the tier that answered."};
inline constexpr FamilyInfo kCacheInvalidations{
    "gateway_cache_invalidations_total",
    "Invalidations by cause, each of one key or many: write, webhook and purge "
    "by this process; log: one that the replicas' log told of; lease, "
    "epoch: the whole memory tier."};
inline constexpr FamilyInfo kUnfencedWrites{"gateway_cache_unfenced_writes_total",
                                            "Writes sent upstream while Redis could not be told before."};
inline constexpr FamilyInfo kUnreadableEntries{
    "gateway_cache_unreadable_entries_total",
    "Values in Redis that were no entry of this version and counted as a miss, by reason."};
inline constexpr FamilyInfo kWait{"gateway_rate_limit_wait_seconds",
                                  "Time requests waited for a permit, in seconds, by urgency."};
inline constexpr FamilyInfo kRejections{"gateway_rate_limit_rejections_total",
                                        "Requests refused instead of waiting for a permit, by reason."};
inline constexpr FamilyInfo kUpstreamRequests{"gateway_upstream_requests_total",
                                              "Tries at the upstream, by operation and status; code none: no answer."};
inline constexpr FamilyInfo kUpstreamDuration{"gateway_upstream_duration_seconds",
                                              "Duration of tries at the upstream, in seconds."};
inline constexpr FamilyInfo kRetries{"gateway_upstream_retries_total", "Tries repeated, by reason."};
inline constexpr FamilyInfo kSaved{"gateway_upstream_requests_saved_total",
                                   "Requests answered without one of their own to the upstream."};
inline constexpr FamilyInfo kTokenRefreshes{"gateway_token_refreshes_total", "Token refreshes, by result."};
inline constexpr FamilyInfo kRedisDuration{"gateway_redis_duration_seconds", "Duration of Redis commands, in seconds."};
inline constexpr FamilyInfo kIdempotencyKeys{"gateway_idempotency_keys_total",
                                             "POSTs with an Idempotency-Key, by what was known about the key."};
inline constexpr FamilyInfo kWebhooks{"gateway_webhooks_total", "Webhooks received, by type and result."};
inline constexpr FamilyInfo kFlowRuns{"gateway_flow_runs_total", "Runs of flows, by flow and result."};
inline constexpr FamilyInfo kBuildInfo{"gateway_build_info", "Always 1; the labels say what was built."};
}  // namespace family

// Read at scrape, registered by the parts that know them; counters by their names in _total. The HELP text is this one
// whoever registers.
std::span<const FamilyInfo> gauge_families();

Bounds request_bounds();   // a memory hit takes microseconds, a wait for a permit half a minute
Bounds upstream_bounds();  // tens of milliseconds are usual, the time limit is at 30 s
Bounds wait_bounds();      // to 30 s, the default of rate_limit.max_wait
Bounds redis_bounds();     // to 1 s, well over redis.timeout

}  // namespace gateway::metrics
