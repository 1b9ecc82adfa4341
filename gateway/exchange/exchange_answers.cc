// How Exchange's results become answers: what the cache says of them, and the fields that the gateway adds.
#include <asio/awaitable.hpp>

#include "gateway/exchange/answer.h"
#include "gateway/exchange/exchange.h"
#include "policies/conditional.h"
#include "policies/rate_headers.h"
#include "policies/surrogate_keys.h"

namespace gateway::exchange {

using metrics::CacheResult;
using metrics::Tier;
using std::chrono::seconds;

namespace {
server::Response not_modified(const cache::Entry& entry) {
  server::Response response;
  response.status = 304;
  for (const auto& field : fields_of(entry))
    if (policies::carried_by_304(field.name)) response.fields.add(field.name, field.value);
  return response;
}
}  // namespace

Exchange::Answer Exchange::answer_of(const Request& request, const EntryPtr& entry, CacheResult result,
                                     std::string_view detail) const {
  const auto resident = cache::boottime() - entry->received;
  Answer answer;
  answer.response = holds_already(request.fields.view(), *entry) ? not_modified(*entry) : response_of(entry);
  answer.age = entry->lifetimes().initial_age + resident;
  answer.status.hit = true;
  answer.status.ttl = std::chrono::floor<seconds>(entry->lifetimes().fresh - resident);
  answer.status.detail = detail;
  answer.result = result;
  return answer;
}

Exchange::Answer Exchange::answer_of(const Request& request, const Fetched& fetched, bool shared,
                                     policies::Forward why) {
  Answer answer;
  const bool current = fetched.entry && holds_already(request.fields.view(), *fetched.entry);
  answer.response = current ? not_modified(*fetched.entry) : fetched.response;
  answer.status.forward = why;
  answer.status.forward_status = fetched.revalidated ? 304 : 0;
  answer.status.stored = fetched.stored;
  answer.status.collapsed = shared || fetched.from_other_replica;
  answer.result = answer.status.collapsed ? CacheResult::Coalesced
                  : fetched.revalidated   ? CacheResult::Revalidated
                                          : CacheResult::Miss;
  answer.tier = fetched.from_other_replica ? Tier::Redis : Tier::None;
  answer.waited = fetched.waited;
  return answer;
}

// Of a read that the cache does not answer; `candidate` may be null.
policies::Forward Exchange::why_forwarded(const Request& request, const EntryPtr& candidate) {
  if (!candidate) return policies::Forward::UriMiss;
  const auto decision = candidate->decision(cache::boottime(), request.directives);
  const bool fresh = decision.ttl > milliseconds(0);
  return fresh && decision.reason == policies::FetchReason::Request ? policies::Forward::Request
                                                                    : policies::Forward::Stale;
}

Exchange::Answer Exchange::passed_on(Attempted attempted) {
  if (const auto* why = std::get_if<Refused>(&attempted.result)) {
    auto answer = refused(*why);
    answer.waited = attempted.waited;
    return answer;
  }
  auto& from = std::get<upstream::Response>(attempted.result);
  Answer answer;
  answer.response.status = from.status;
  answer.response.fields = std::move(from.fields);
  answer.response.body = std::make_shared<const std::string>(std::move(from.body));
  answer.waited = attempted.waited;
  return answer;
}

Exchange::Answer Exchange::refused(const Refused& why, policies::Forward forward) {
  Answer answer;
  answer.response = to_response(why.refusal, why.detail, why.retry_after);
  answer.refusal = to_string(why.refusal);
  answer.status.forward = forward;
  answer.status.detail = answer.refusal;
  return answer;
}

Exchange::Answer Exchange::not_proven(server::Response response) {
  Answer answer;
  answer.refusal = refusal_type(response);
  answer.response = std::move(response);
  answer.status.detail = answer.refusal;
  return answer;
}

std::vector<cache::Writes::Key> Exchange::write_keys(const Request& request, std::vector<std::string> names) const {
  std::vector<cache::Writes::Key> keys;
  for (auto& name : names) {
    const bool collection = policies::is_collection(name);
    keys.push_back({std::move(name), collection ? parts_.times[request.operation->index].settle : milliseconds(0)});
  }
  return keys;
}

void Exchange::complete(const Request& request, Answer& answer) const {
  auto& fields = answer.response.fields;
  std::string status;
  policies::append_cache_status(status, answer.status);
  fields.add("Cache-Status", std::move(status));
  if (answer.age) fields.set("Age", std::to_string(std::chrono::duration_cast<seconds>(*answer.age).count()));
  fields.add("Via", "1.1 contacts-gateway");
  fields.set("X-Request-Id", request.id);
  if (answer.waited.count() > 0) fields.add("Server-Timing", policies::format_queue_timing(answer.waited));
  if (!answer.status.hit) {
    const auto budget = parts_.attempts.budget_of(request);
    auto told = policies::format_rate_limits(budget.limit, {budget.remaining, budget.until_more}, budget.daily_limit,
                                             {budget.daily_remaining, budget.until_new_day});
    fields.add("RateLimit-Policy", std::move(told.policy));
    fields.add("RateLimit", std::move(told.limit));
  }
}

}  // namespace gateway::exchange
