#include "gateway/exchange/belonging.h"

#include <algorithm>
#include <array>

#include "gateway/exchange/calls.h"
#include "gateway/exchange/refusal.h"
#include "gateway/upstream/coding.h"
#include "policies/surrogate_keys.h"

namespace gateway::exchange {

namespace {
constexpr std::size_t kRemembered = 50'000;  // some 5 MB

// Refusals that say of a request that it may have been sent. That is true of the look-up, not of the request.
constexpr std::array kSentPerhaps{Refusal::UpstreamTimeout, Refusal::UpstreamReset, Refusal::UpstreamProtocol,
                                  Refusal::UpstreamTooLarge, Refusal::Internal};

bool is_passing(int status) {
  return status == 401 || status == 408 || status == 425 || status == 429 || status >= 500;
}

server::Response passed(const server::Response& from) {
  server::Response response;
  response.status = from.status;
  response.body = from.body;
  for (const char* name : {"Content-Type", "Proxy-Status", "Retry-After"})
    if (const auto value = from.fields.find(name)) response.fields.add(name, std::string(*value));
  return response;
}

// What the request is refused with where the look-up failed, but may succeed later. It is always the gateway's own
// refusal, and one that says that nothing was sent: whoever reads it (a flow) may make a POST again.
std::optional<server::Response> not_now(const server::Response& answer) {
  const auto own = refusal_type(answer);
  const bool about_look_up =
      own.empty() || std::ranges::any_of(kSentPerhaps, [&](Refusal refusal) { return own == to_string(refusal); });
  if (!about_look_up && (answer.status == 403 || is_passing(answer.status))) return passed(answer);
  if (!is_passing(answer.status)) return std::nullopt;
  auto response = answer.status == 429 ? to_response(Refusal::WaitTooLong,
                                                     "The upstream's limit does not let it be looked up now whose "
                                                     "record this is. The request was not sent.")
                                       : to_response(Refusal::RecordNotLookedUp);
  response.fields.add("Retry-After", std::string(answer.fields.find("Retry-After").value_or("1")));
  return response;
}

Call look_up(const Request& request, const policies::NamedRecord& record) {
  Call call;
  call.target = policies::path_of(record);
  call.fields.add("Version", request.version);
  call.location = request.location;
  call.client = request.client;
  call.urgency = request.urgency;
  call.wait = request.wait;
  call.id = request.id;
  call.trace = request.trace;
  return call;
}
}  // namespace

std::vector<std::string> keys_of(const credentials::Scope& scope, const policies::Match& match,
                                 std::string_view location, std::string_view query, std::string_view body) {
  const auto& operation = *match.operation;
  const bool anywhere = operation.kind == policies::Kind::Write && !scope.binds(location) && names_records(operation);
  return policies::keys_of_request(match, anywhere ? std::string_view() : location, body, query);
}

std::vector<std::string> keys_of_answer(const policies::Match& match, std::string_view location,
                                        const upstream::Response* answer) {
  if (!policies::keys_in_answer(*match.operation)) return {};
  if (answer == nullptr) return policies::keys_of_answer(match, location, {});
  const auto plain = upstream::decoded(answer->fields, answer->body);
  return policies::keys_of_answer(match, location, plain ? *plain : answer->body);
}

bool is_anothers(const Request& request, const upstream::Response& answer) {
  if (!request.own_record || answer.status != 200) return false;
  const auto plain = upstream::decoded(answer.fields, answer.body);
  return is_elsewhere(*request.own_record, plain ? *plain : answer.body, request.location);
}

asio::awaitable<std::optional<server::Response>> Belonging::prove(const Request& request) {
  for (const auto& record : request.to_prove) {
    auto known = policies::path_of(record) + " " + request.location;
    if (proven_.contains(known)) continue;
    const auto answer = co_await calls_.run(look_up(request, record));
    if (auto refused = not_now(answer)) co_return refused;
    if (policies::surely_absent(record, answer.status)) continue;
    if (answer.status != 200 || !answer.body || is_elsewhere(record.kind, *answer.body, request.location))
      co_return to_response(Refusal::Forbidden, std::string(kOtherLocation));
    if (proven_.size() >= kRemembered) proven_.clear();
    proven_.insert(std::move(known));
  }
  co_return std::nullopt;
}

}  // namespace gateway::exchange
