#include "gateway/exchange/attempts.h"

#include <algorithm>
#include <array>

#include "policies/conditional.h"

namespace gateway::exchange {

namespace {
// Between the client and the gateway alone: its key, what only it may be answered, framing.
constexpr std::array<std::string_view, 7> kNeverForwarded{
    "Authorization", "Proxy-Authorization", "Cookie", "Host", "Content-Length", "Expect", "X-Request-Id"};
// Of a read that others may share: the cache answers these itself.
constexpr std::array<std::string_view, 3> kNotOfReads{"Cache-Control", "Pragma", "Prefer"};

template <std::size_t N>
bool among(const std::array<std::string_view, N>& names, std::string_view name) {
  return std::any_of(names.begin(), names.end(),
                     [&](std::string_view known) { return policies::same_name(known, name); });
}

upstream::Request upstream_request(const Request& request, std::string authorization,
                                   const policies::Fields& validators) {
  upstream::Request out;
  const bool shared = !request.key.empty();
  out.method =
      shared && request.method == "HEAD" ? "GET" : request.method;  // a HEAD fills the cache for the GETs to come
  out.target = request.target;
  out.body = request.body;
  for (const auto& field : request.fields)
    if (!among(kNeverForwarded, field.name) &&
        !(shared && (among(kNotOfReads, field.name) || policies::is_precondition(field.name))))
      out.fields.add(field.name, field.value);
  if (!out.fields.find("Version")) out.fields.add("Version", request.version);
  out.fields.add("Authorization", std::move(authorization));
  out.fields.add("Via", "1.1 contacts-gateway");
  out.fields.add("X-Request-Id", request.id);
  for (const auto& field : validators) out.fields.add(field.name, field.value);
  return out;
}
}  // namespace

asio::awaitable<Attempted> Attempts::run(std::shared_ptr<const Request> request, policies::Fields validators) {
  Attempted attempted;
  auto authorization = credentials_.authorization(request->location);
  if (!authorization) {
    attempted.result = Refused{Refusal::NoCredentials, {}, {}};
    co_return attempted;
  }
  ++attempted.tries;
  auto outcome = co_await client_.send(upstream_request(*request, std::move(*authorization), validators));
  const auto* failed = std::get_if<upstream::Failed>(&outcome.result);
  metrics_.upstream_request(request->operation->index, failed ? 0 : std::get<upstream::Response>(outcome.result).status,
                            outcome.total);
  attempted.sent = failed == nullptr || !upstream::surely_not_applied(failed->failure);
  attempted.unknown = failed != nullptr && attempted.sent;
  if (failed)
    attempted.result = Refused{refusal_of(failed->failure), {}, {}};
  else
    attempted.result = std::move(std::get<upstream::Response>(outcome.result));
  co_return attempted;
}

}  // namespace gateway::exchange
