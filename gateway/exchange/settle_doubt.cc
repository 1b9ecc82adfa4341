// Whether a creation that was sent and not answered took effect: the upstream is asked for the contact.
#include <asio/steady_timer.hpp>
#include <asio/use_awaitable.hpp>

#include "gateway/exchange/exchange.h"
#include "gateway/log/log.h"
#include "gateway/upstream/coding.h"
#include "policies/doubt.h"

namespace gateway::exchange {

using Clock = std::chrono::steady_clock;
using std::chrono::milliseconds;

namespace {

std::shared_ptr<Request> lookup_for(const Request& creation, const policies::Operation* operation, std::string target) {
  auto lookup = std::make_shared<Request>();
  lookup->started = Clock::now();
  lookup->id = creation.id;
  lookup->operation = operation;
  lookup->method = "GET";
  lookup->path = target.substr(0, target.find('?'));
  lookup->target = std::move(target);
  lookup->location = creation.location;
  lookup->version = creation.version;
  lookup->client = creation.client;
  lookup->urgency = creation.urgency;
  lookup->fields.add("Accept-Encoding", "identity");  // it is read here
  lookup->may_send = creation.may_send;
  return lookup;
}

policies::WallMillis wall_time(Clock::time_point then) {
  const auto wall = std::chrono::system_clock::now().time_since_epoch() - (Clock::now() - then);
  return std::chrono::duration_cast<policies::WallMillis>(wall);
}

}  // namespace

std::optional<std::string> Exchange::duplicate_search(const Request& request) {
  return policies::duplicate_search(request.operation->name, request.location,
                                    request.body ? std::string_view(*request.body) : std::string_view());
}

// The upstream's index lags, and a creation whose owner died may even still be under way. So only what is not there
// after that time counts as never applied; what is found before then counts at once.
asio::awaitable<Exchange::Settled> Exchange::settle_doubt(RequestPtr request, Clock::time_point sent_at,
                                                          bool owner_died) {
  Settled open;
  const auto target = duplicate_search(*request);
  if (!target) co_return open;
  const milliseconds settle = parts_.times[request->operation->index].settle;
  const auto sure_at = owner_died ? sent_at + parts_.settings->upstream.timeout + settle : Clock::now() + settle;
  for (;;) {
    const bool sure = Clock::now() >= sure_at;
    auto seen = co_await look_for(request, *target, sent_at);
    if (seen.what != Settled::What::NotApplied || sure) co_return seen;
    if (sure_at > parts_.attempts.deadline_of(*request)) {
      open.retry_after = std::chrono::ceil<milliseconds>(sure_at - Clock::now());
      co_return open;
    }
    asio::steady_timer pause(parts_.io, sure_at);
    co_await pause.async_wait(asio::use_awaitable);
  }
}

asio::awaitable<Exchange::Settled> Exchange::look_for(RequestPtr request, std::string target,
                                                      Clock::time_point sent_at) {
  const auto* search = parts_.catalogue.find("get-duplicate-contact");
  const auto searched = co_await parts_.attempts.run(lookup_for(*request, search, std::move(target)), {});
  const auto* answer = std::get_if<upstream::Response>(&searched.result);
  if (answer == nullptr || answer->status != 200) co_return Settled{};
  const auto plain = upstream::decoded(answer->fields, answer->body);
  const auto sought = policies::judge_duplicate(plain ? *plain : answer->body, wall_time(sent_at));
  if (std::holds_alternative<policies::NotThere>(sought)) co_return Settled{Settled::What::NotApplied, {}, {}};
  const auto* created = std::get_if<policies::CreatedContact>(&sought);
  if (created == nullptr) co_return Settled{};
  const auto* read = parts_.catalogue.find("get-contact");
  auto whole = co_await parts_.attempts.run(lookup_for(*request, read, "/contacts/" + created->id), {});
  auto* contact = std::get_if<upstream::Response>(&whole.result);
  if (contact == nullptr || contact->status != 200) co_return Settled{};
  log::info("idempotent_creation_found", {{"request", std::string_view(request->id)}});
  parts_.claims.count("found");
  contact->status = 201;  // as its creation would have been answered
  co_return Settled{Settled::What::Found, std::move(*contact), {}};
}

}  // namespace gateway::exchange
