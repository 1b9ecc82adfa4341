// Why the gateway answers for itself: one value for each reason, with the problem body, the metric and log label, and
// what the caller may do.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

#include "gateway/server/reply.h"
#include "gateway/upstream/client.h"

namespace gateway::exchange {

enum class Refusal {
  UnknownOperation,
  WrongMethod,
  NoKey,
  Forbidden,
  ForeignPage,
  ForeignHost,
  LocationMissing,
  LocationConflict,
  LoopDetected,
  NoCredentials,
  CredentialDead,
  CredentialUnavailable,
  OnlyIfCached,
  QueueFull,
  WaitTooLong,
  DailyQuota,
  ClientRate,
  CircuitOpen,
  RecordNotLookedUp,
  WritesNotFenced,
  MemoryLimit,
  Unsendable,
  UpstreamUnresolved,
  UpstreamRefused,
  UpstreamTls,
  UpstreamCertificate,
  UpstreamConnectTimeout,
  UpstreamTimeout,
  UpstreamReset,
  UpstreamProtocol,
  UpstreamTooLarge,
  IdempotencyMismatch,
  IdempotencyMalformed,
  IdempotencyInProgress,
  IdempotencyInDoubt,
  IdempotencyUnavailable,
  Internal,
};
// "unknown-operation": problem type, log field and metric label at once.
std::string_view to_string(Refusal refusal);
int status_of(Refusal refusal);
Refusal refusal_of(upstream::Failure failure);
// The type of the problem where the gateway answered for itself: "queue-full"; empty: upstream did; "unknown": it is
// none of these.
std::string_view refusal_type(const server::Response& response);
// Upstream failed, or its limits do not let the request through now: what a stale answer may stand in for (RFC 5861
// section 4).
bool is_upstreams(Refusal refusal);

// `detail`: one sentence for the caller; empty: the refusal's own. `retry_after`: rounded up to whole seconds (RFC 9110
// section 10.2.3).
server::Response to_response(Refusal refusal, std::string detail = {},
                             std::optional<std::chrono::milliseconds> retry_after = std::nullopt);

}  // namespace gateway::exchange
