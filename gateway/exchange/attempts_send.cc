// One try as it goes to the upstream: which of the client's fields go along, and what the gateway adds.
#include <algorithm>
#include <array>
#include <asio/awaitable.hpp>

#include "gateway/exchange/attempts.h"
#include "gateway/exchange/via.h"
#include "policies/conditional.h"
#include "policies/surrogate_keys.h"

namespace gateway::exchange {

namespace {
// What concerns the client and the gateway alone: its key, its cookies, framing, its request id.
constexpr std::array<std::string_view, 7> kNeverForwarded{
    "Authorization", "Proxy-Authorization", "Cookie", "Host", "Content-Length", "Expect", "X-Request-Id"};
// Not forwarded with a read whose answer others may share: the cache obeys these itself.
constexpr std::array<std::string_view, 3> kNotOfReads{"Cache-Control", "Pragma", "Prefer"};

template <std::size_t N>
bool among(const std::array<std::string_view, N>& names, std::string_view name) {
  return std::any_of(names.begin(), names.end(),
                     [&](std::string_view known) { return policies::same_name(known, name); });
}

// In a traced request the try's own span becomes the parent of what the upstream does. Else the client's fields go on
// as they are (Trace Context section 4.3: who takes no part passes them on).
bool replaced_by(const tracing::Scope& span, std::string_view name) {
  if (!span) return false;
  return policies::same_name(name, "traceparent") || (!span.continues() && policies::same_name(name, "tracestate"));
}

// An answer in which the gateway reads whose record it is, or what a write has changed, is asked for in no coding.
bool asked_plain(const Request& request) { return request.own_record || policies::keys_in_answer(*request.operation); }

upstream::Request upstream_request(const Request& request, const std::string& authorization,
                                   const policies::Fields& validators, const tracing::Scope& span) {
  upstream::Request out;
  const bool shared = !request.key.empty();
  out.method =
      shared && request.method == "HEAD" ? "GET" : request.method;  // a HEAD fills the cache for the GETs to come
  out.target = request.target;
  out.body = request.body;
  const bool plain = asked_plain(request);
  for (const auto& field : request.fields)
    if (!among(kNeverForwarded, field.name) && !replaced_by(span, field.name) &&
        !(plain && policies::same_name(field.name, "Accept-Encoding")) &&
        !(shared && (among(kNotOfReads, field.name) || policies::is_precondition(field.name))))
      out.fields.add(field.name, field.value);
  if (plain) out.fields.add("Accept-Encoding", "identity");
  if (!out.fields.find("Version")) out.fields.add("Version", request.version);
  out.fields.add("Authorization", authorization);
  out.fields.add("Via", own_via());
  out.fields.add("X-Request-Id", request.id);
  for (const auto& field : validators) out.fields.add(field.name, field.value);
  if (span) out.fields.add("traceparent", policies::format_traceparent(span.context()));
  return out;
}
}  // namespace

asio::awaitable<upstream::Outcome> Attempts::send(std::shared_ptr<const Request> request, credentials::AccessPtr access,
                                                  policies::Fields validators, int attempt) {
  tracing::Scope span(request->trace, "upstream", tracing::Kind::Client, {{"http.request.method", request->method}});
  if (attempt > 1) span.set("http.request.resend_count", attempt - 1);
  request->sent = true;
  auto outcome = co_await parts_.client.send(upstream_request(*request, access->authorization, validators, span));
  if (const auto* answer = std::get_if<upstream::Response>(&outcome.result)) {
    span.set("http.response.status_code", answer->status);
    if (answer->status >= 400) span.fail();
  } else {
    span.set("error.type", to_string(std::get<upstream::Failed>(outcome.result).failure));
    span.fail();
  }
  co_return outcome;
}

}  // namespace gateway::exchange
