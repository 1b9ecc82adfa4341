#include "gateway/exchange/belonging.h"

#include "gateway/exchange/calls.h"
#include "gateway/exchange/refusal.h"
#include "policies/surrogate_keys.h"

namespace gateway::exchange {

namespace {
constexpr std::size_t kRemembered = 50'000;  // some 5 MB

server::Response passed(const server::Response& from) {
  server::Response response;
  response.status = from.status;
  response.body = from.body;
  for (const char* name : {"Content-Type", "Retry-After"})
    if (const auto value = from.fields.find(name)) response.fields.add(name, std::string(*value));
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

bool is_anothers(const Request& request, const upstream::Response& answer) {
  return request.own_record && answer.status == 200 && is_elsewhere(*request.own_record, answer.body, request.location);
}

asio::awaitable<std::optional<server::Response>> Belonging::prove(const Request& request) {
  for (const auto& record : request.to_prove) {
    auto known = policies::path_of(record) + " " + request.location;
    if (proven_.contains(known)) continue;
    const auto answer = co_await calls_.run(look_up(request, record));
    if (answer.status == 429 || answer.status >= 500) co_return passed(answer);
    if (policies::surely_absent(record, answer.status)) continue;
    if (answer.status != 200 || !answer.body || is_elsewhere(record.kind, *answer.body, request.location))
      co_return to_response(Refusal::Forbidden, std::string(kOtherLocation));
    if (proven_.size() >= kRemembered) proven_.clear();
    proven_.insert(std::move(known));
  }
  co_return std::nullopt;
}

}  // namespace gateway::exchange
