#include "gateway/exchange/calls.h"

#include <utility>

#include "gateway/exchange/belonging.h"
#include "gateway/upstream/coding.h"
#include "policies/cache_key.h"
#include "policies/location.h"

namespace gateway::exchange {

namespace {
// A body that cannot be read may name any location.
bool names_only(std::string_view location, const policies::Match& match, const Call& call, std::string_view query) {
  policies::LocationInputs inputs;
  inputs.path = match.parameter("locationId");
  inputs.query = query;
  inputs.parameter = match.operation->location_parameter;
  const auto fields = call.fields.view();
  inputs.fields = fields;
  inputs.body = call.body;
  inputs.client = location;
  inputs.restricted = true;
  const auto named = policies::location_of(inputs);
  const auto* found = std::get_if<policies::Location>(&named);
  return found != nullptr && found->id() == location;
}

server::Response readable(server::Response response) {
  if (!response.body) return response;
  auto plain = upstream::decoded(response.fields, *response.body);
  if (!plain) return response;
  response.body = std::make_shared<const std::string>(std::move(*plain));
  response.fields.remove("Content-Encoding");
  response.fields.remove("Content-Length");
  return response;
}

// All but the body, its fields, and what is derived from them.
std::shared_ptr<Request> request_of(const Call& call, const policies::Match& match, const InForce& in_force) {
  auto request = std::make_shared<Request>();
  request->started = std::chrono::steady_clock::now();
  request->id = call.id;
  request->trace = call.trace;
  request->operation = match.operation;
  request->method = call.method;
  request->target = call.target;
  request->path = call.target.substr(0, call.target.find('?'));
  request->location = call.location.empty() ? in_force.scope.own : call.location;
  request->version = policies::find_field(call.fields.view(), "Version").value_or(in_force.settings->upstream.version);
  request->client = call.client;
  request->urgency = call.urgency;
  request->wait = call.wait;
  request->may_send = call.may_send;
  request->directives = policies::request_cache_control(call.fields.view());
  return request;
}

// Of a call that `proves`: what it is refused with, or which records are to be looked up first.
std::optional<server::Response> add_proofs(Request& request, const policies::Match& match, std::string_view query,
                                           const Call& call, const InForce& in_force) {
  if (!names_only(request.location, match, call, query))
    return to_response(Refusal::Forbidden, "The request names another location than the one that it may reach.");
  if (in_force.scope.binds(request.location)) return std::nullopt;
  auto records = policies::named_records(match, query, call.body);
  if (!records) return to_response(Refusal::Forbidden, std::string(kOtherLocation));
  request.to_prove = std::move(*records);
  return std::nullopt;
}
}  // namespace

Calls::Calls(const InForceHolder& in_force, const policies::Catalogue& catalogue, const VaryNames& vary_names,
             Exchange& exchange)
    : in_force_(in_force), catalogue_(catalogue), vary_names_(vary_names), exchange_(exchange) {}

limiter::Budget Calls::budget(const std::string& location) const {
  return exchange_.budget(location.empty() ? in_force_.get()->scope.own : location);
}

asio::awaitable<server::Response> Calls::run(Call call) const {
  const std::string_view target = call.target;
  const auto mark = target.find('?');
  const auto query = mark == std::string_view::npos ? std::string_view() : target.substr(mark + 1);
  const auto matched = catalogue_.match(call.method, target.substr(0, mark));
  const auto* match = std::get_if<policies::Match>(&matched);
  if (match == nullptr) co_return to_response(Refusal::UnknownOperation);
  // The gateway reads what comes back; without the field any coding would do (RFC 9110 section 12.5.3).
  if (!policies::find_field(call.fields.view(), "Accept-Encoding")) call.fields.add("Accept-Encoding", "identity");
  const auto in_force = in_force_.get();
  const auto request = request_of(call, *match, *in_force);
  if (in_force->settings->cache.enabled) add_key(*request, *match, query, call);
  if (call.proves)
    if (auto refused = add_proofs(*request, *match, query, call, *in_force)) co_return std::move(*refused);
  request->surrogate_keys = keys_of(in_force->scope, *match, request->location, query, call.body);
  if (!call.body.empty()) request->body = std::make_shared<const std::string>(std::move(call.body));
  request->fields = std::move(call.fields);
  co_return readable(co_await exchange_.call(request));
}

void Calls::add_key(Request& request, const policies::Match& match, std::string_view query, const Call& call) const {
  if (match.operation->kind == policies::Kind::Write || request.directives.no_store) return;
  std::string key;
  if (policies::append_cache_key(key, {match, request.location, request.version, query, call.body})) return;
  request.base_key = key;
  if (const auto names = vary_names_.of(match.operation->index))
    key += policies::vary_key(*names, call.fields.view()).value_or("");
  request.key = std::move(key);
}

}  // namespace gateway::exchange
