#include "gateway/exchange/refusal.h"

#include <algorithm>
#include <array>

#include "gateway/server/problem.h"
#include "policies/json_strings.h"
#include "policies/rate_headers.h"

namespace gateway::exchange {

namespace {
struct Row {
  Refusal refusal;
  int status;
  std::string_view error;  // RFC 9209 section 2.3
  std::string_view type;
  std::string_view title;
  std::string_view detail;
};

constexpr std::array kRows{
    Row{Refusal::UnknownOperation, 404, "http_request_error", "unknown-operation", "No such operation",
        "This path is outside the gateway's catalogue of operations; `contacts-gateway operations` lists it."},
    Row{Refusal::WrongMethod, 405, "http_request_error", "wrong-method", "Method not allowed",
        "This path exists, but not with this method; see the Allow field."},
    Row{Refusal::NoKey, 401, "http_request_denied", "no-client-key", "A client key is needed",
        "Send the key that the gateway's operator gave you as `Authorization: Bearer KEY`."},
    Row{Refusal::Forbidden, 403, "http_request_denied", "forbidden", "Not allowed",
        "This client may not use that operation or location."},
    Row{Refusal::ForeignPage, 403, "http_request_denied", "cross-site-request", "Another site's page sent this request",
        "Without clients this gateway answers programs, and pages of this machine, only. With `clients` in its "
        "settings "
        "whoever has a key may come from anywhere."},
    Row{Refusal::ForeignHost, 403, "http_request_denied", "foreign-host", "This name is not known here",
        "Without clients a browser may use IP addresses, localhost and private names as Host, since another site's "
        "page "
        "could let its own name point here. With `clients` in its settings any name will do."},
    Row{Refusal::LocationMissing, 400, "http_request_error", "location-missing", "Which location?",
        "Several locations are configured and the request names none: send `locationId` in the query or an "
        "`X-Location-Id` field."},
    Row{Refusal::LocationConflict, 400, "http_request_error", "location-conflict", "Two different locations",
        "The request names one location in one place and another one elsewhere."},
    Row{Refusal::LoopDetected, 508, "proxy_loop_detected", "loop-detected", "This request has been here before",
        "Its Via field names this gateway: upstream.url, of this gateway or of one behind it, leads back here."},
    Row{Refusal::NoCredentials, 403, "http_request_denied", "no-credentials", "No credentials for that location",
        "The gateway holds no token for the location that this request is for."},
    Row{Refusal::CredentialDead, 502, "http_request_denied", "credential-dead", "The gateway's credential was revoked",
        "The upstream no longer accepts the grant of this location; an operator must renew it."},
    Row{Refusal::CredentialUnavailable, 503, "proxy_internal_error", "credential-unavailable", "No access token now",
        "The location's access token is being renewed and did not come in time; try again."},
    Row{Refusal::OnlyIfCached, 504, "http_request_error", "only-if-cached", "Not in the cache",
        "The request asked for a cached answer only (Cache-Control: only-if-cached), and there is none that may be "
        "served."},
    Row{Refusal::QueueFull, 429, "http_request_denied", "queue-full", "Too many requests are waiting",
        "The queue for this location's rate limit is full."},
    Row{Refusal::WaitTooLong, 429, "http_request_denied", "wait-too-long", "The wait would be too long",
        "The location's rate limit cannot take this request within the time it may wait."},
    Row{Refusal::DailyQuota, 429, "http_request_denied", "daily-quota", "The day's quota is used up",
        "The location's daily quota at the upstream is exhausted, or what is left is kept for urgent requests."},
    Row{Refusal::ClientRate, 429, "http_request_denied", "client-rate", "This client is over its own rate",
        "The gateway's operator set a rate for this client, and it is above it."},
    Row{Refusal::CircuitOpen, 503, "destination_unavailable", "circuit-open", "The upstream is failing",
        "The upstream has failed repeatedly; the gateway is probing it and refuses the rest meanwhile."},
    Row{Refusal::RecordNotLookedUp, 503, "destination_unavailable", "record-not-looked-up",
        "Whose record this is cannot be learned now",
        "This client may use some locations only, and the upstream did not say whether the record that the request "
        "names is of one of them. The request was not sent; send it again later."},
    Row{Refusal::WritesNotFenced, 503, "proxy_internal_error", "writes-not-fenced", "Writes are refused without Redis",
        "The gateway cannot reach Redis, and its settings refuse writes that other replicas could not learn of."},
    Row{Refusal::MemoryLimit, 503, "proxy_internal_error", "memory-limit", "The gateway has no memory to spare",
        "The process uses more memory than its settings allow (server.memory_limit); try again in a moment."},
    Row{Refusal::Unsendable, 400, "http_request_error", "unsendable", "The request cannot be sent on",
        "Its method, target or a field holds what HTTP cannot carry."},
    Row{Refusal::UpstreamUnresolved, 502, "dns_error", "upstream-unresolved", "The upstream's name does not resolve",
        "The request was not sent."},
    Row{Refusal::UpstreamRefused, 502, "connection_refused", "upstream-refused", "The upstream cannot be reached",
        "The request was not sent."},
    Row{Refusal::UpstreamTls, 502, "tls_protocol_error", "upstream-tls", "No TLS connection to the upstream",
        "The TLS handshake failed; the request was not sent."},
    Row{Refusal::UpstreamCertificate, 502, "tls_certificate_error", "upstream-certificate",
        "The upstream's certificate is not trusted",
        "It is of an authority that the gateway does not know, of another host, or out of its time; the request was "
        "not sent."},
    Row{Refusal::UpstreamConnectTimeout, 504, "connection_timeout", "upstream-connect-timeout",
        "The upstream did not accept a connection", "The request was not sent."},
    Row{Refusal::UpstreamTimeout, 504, "http_response_timeout", "upstream-timeout",
        "The upstream did not answer in time", "If it was a write, it may have been applied all the same."},
    Row{Refusal::UpstreamReset, 502, "http_response_incomplete", "upstream-reset", "The upstream broke the connection",
        "If it was a write, it may have been applied all the same."},
    Row{Refusal::UpstreamProtocol, 502, "http_protocol_error", "upstream-protocol",
        "The upstream's answer is not valid HTTP", "If it was a write, it may have been applied all the same."},
    Row{Refusal::UpstreamTooLarge, 502, "http_response_body_size", "upstream-too-large",
        "The upstream's answer is too large",
        "It is over the gateway's limit; if it was a write, it may have been applied all the same."},
    Row{Refusal::IdempotencyMismatch, 422, "http_request_error", "idempotency-mismatch",
        "Idempotency-Key used for another request",
        "This key was sent before with a different request; use a new key for a new request."},
    Row{Refusal::IdempotencyMalformed, 400, "http_request_error", "idempotency-malformed", "Malformed Idempotency-Key",
        "Send one non-empty key of at most 255 printable characters."},
    Row{Refusal::IdempotencyInProgress, 409, "http_request_denied", "idempotency-in-progress",
        "The first request with this Idempotency-Key is still under way",
        "Send the same request again later; it will get the first one's answer."},
    Row{Refusal::IdempotencyInDoubt, 409, "http_request_denied", "idempotency-in-doubt",
        "Nobody knows whether the first request was applied",
        "It was sent with this Idempotency-Key and its answer was lost. Look whether it took effect; if not, send it "
        "with a new key."},
    Row{Refusal::IdempotencyUnavailable, 503, "proxy_internal_error", "idempotency-unavailable",
        "What is known about this Idempotency-Key cannot be read",
        "The gateway cannot reach Redis, and without it the request might be applied twice. It was not sent; send it "
        "again later."},
    Row{Refusal::Internal, 500, "proxy_internal_error", "internal", "Internal error",
        "The gateway failed; its log says more."},
};

const Row& row_of(Refusal refusal) { return kRows[static_cast<std::size_t>(refusal)]; }

consteval bool in_order() {
  for (std::size_t i = 0; i < kRows.size(); ++i)
    if (static_cast<std::size_t>(kRows[i].refusal) != i) return false;
  return true;
}
static_assert(in_order(), "kRows is indexed by Refusal");
}  // namespace

std::string_view to_string(Refusal refusal) { return row_of(refusal).type; }
int status_of(Refusal refusal) { return row_of(refusal).status; }

Refusal refusal_of(upstream::Failure failure) {
  switch (failure) {
    case upstream::Failure::Unsendable:
      return Refusal::Unsendable;
    case upstream::Failure::Resolve:
      return Refusal::UpstreamUnresolved;
    case upstream::Failure::Connect:
      return Refusal::UpstreamRefused;
    case upstream::Failure::ConnectTimeout:
      return Refusal::UpstreamConnectTimeout;
    case upstream::Failure::Tls:
      return Refusal::UpstreamTls;
    case upstream::Failure::Certificate:
      return Refusal::UpstreamCertificate;
    case upstream::Failure::Timeout:
      return Refusal::UpstreamTimeout;
    case upstream::Failure::Reset:
      return Refusal::UpstreamReset;
    case upstream::Failure::Protocol:
      return Refusal::UpstreamProtocol;
    case upstream::Failure::TooLarge:
      return Refusal::UpstreamTooLarge;
  }
  return Refusal::Internal;
}

std::string_view refusal_type(const server::Response& response) {
  const auto by = response.fields.find("Proxy-Status");
  if (!by || !by->starts_with("contacts-gateway") || !response.body) return {};
  std::string_view type = "unknown";
  policies::json_strings(*response.body, "type", [&](std::string_view text) {
    const auto name = text.substr(text.rfind('/') + 1);
    const auto* row = std::ranges::find(kRows, name, &Row::type);
    if (row != kRows.end()) type = row->type;
  });
  return type;
}

bool is_upstreams(Refusal refusal) {
  switch (refusal) {
    case Refusal::QueueFull:
    case Refusal::WaitTooLong:
    case Refusal::DailyQuota:
    case Refusal::CircuitOpen:
    case Refusal::UpstreamUnresolved:
    case Refusal::UpstreamRefused:
    case Refusal::UpstreamTls:
    case Refusal::UpstreamCertificate:
    case Refusal::UpstreamConnectTimeout:
    case Refusal::UpstreamTimeout:
    case Refusal::UpstreamReset:
    case Refusal::UpstreamProtocol:
    case Refusal::UpstreamTooLarge:
    case Refusal::CredentialDead:
    case Refusal::CredentialUnavailable:
      return true;
    default:
      return false;
  }
}

server::Response to_response(Refusal refusal, std::string detail,
                             std::optional<std::chrono::milliseconds> retry_after) {
  const Row& row = row_of(refusal);
  if (refusal == Refusal::MemoryLimit && !retry_after) retry_after = std::chrono::seconds(1);
  auto response = server::to_response(server::Problem{row.status, row.error, row.type, row.title,
                                                      detail.empty() ? std::string(row.detail) : std::move(detail)});
  if (retry_after) response.fields.add("Retry-After", policies::format_retry_after(*retry_after));
  if (row.status == 401) response.fields.add("WWW-Authenticate", "Bearer realm=\"contacts-gateway\"");
  return response;
}

}  // namespace gateway::exchange
