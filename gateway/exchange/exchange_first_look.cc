// A read's first look into the shared tier, before there is a coroutine for it: what is found and fresh is answered
// from here. The same decisions as Exchange::read's, which goes on from here with everything else.
#include <asio/awaitable.hpp>

#include "gateway/exchange/answer.h"
#include "gateway/exchange/exchange.h"

namespace gateway::exchange {

using metrics::CacheResult;

// A traced request goes the coroutine's way, whose steps are its spans; so does one whose client must first be found to
// have a right to it. Where lookups of late found nothing, the permit that a fetch needs is asked for behind the
// lookup, in the same round trip; a lookup that does not lead to a fetch at once gives it back.
bool Exchange::look_up_first(const RequestPtr& request) {
  if (request->key.empty() || request->trace || !request->to_prove.empty()) return false;
  const bool ask_ahead = parts_.tier.likely_to_miss() && !request->directives.only_if_cached;
  // Before the lookup: what is invalidated from here on is seen.
  const bool looks = parts_.tier.look_up_for(
      {std::shared_ptr<const std::string>(request, &request->key),
       std::shared_ptr<const std::vector<std::string>>(request, &request->surrogate_keys)},
      [this, request, guard = parts_.fence.guard(request->surrogate_keys)](cache::Found found) mutable {
        looked_up(request, std::move(guard), std::move(found));
      });
  if (looks && ask_ahead) request->ahead = parts_.attempts.ask_ahead(*request);
  return looks;
}

void Exchange::looked_up(const RequestPtr& request, cache::Guard guard, cache::Found found) {
  if (!found.claimed || request->left) request->ahead = nullptr;
  Looked looked{std::move(guard), std::move(found), nullptr};
  looked.candidate = candidate_of(*request, looked.found, looked.guard);
  if (!request->left && serve_stored(request, looked)) return;
  spawn(request, std::make_shared<Looked>(std::move(looked)));
  // It left while there was nothing to cancel.
  if (request->left) request->cancel.emit(asio::cancellation_type::terminal);
}

bool Exchange::serve_stored(const RequestPtr& request, const Looked& looked) {
  using policies::Action;
  if (!looked.found.entry || !looked.candidate) return false;
  if (looked.candidate->body().size() > cache::Entry::kOwnBody) return false;  // not by copying
  const EntryPtr& entry = looked.candidate;
  const auto decision = entry->decision(cache::boottime(), request->directives);
  if (decision.action != Action::ServeFresh) return false;

  policies::CacheStatus status;
  status.hit = true;
  status.ttl = std::chrono::floor<std::chrono::seconds>(decision.ttl);
  std::string extra;
  append_hit_fields(extra, decision.age, request->id, status);
  const bool current = holds_already(request->fields.view(), *entry);
  if (current) {
    const auto head = std::make_shared<const std::string>(not_modified_head(*entry));
    request->reply->send_prepared(head, *head, std::move(extra), {});
  } else {
    request->reply->send_prepared(entry, entry->head(), std::move(extra), entry->body());
  }
  parts_.reporter.finished({.operation = request->operation,
                            .method = request->method,
                            .status = current ? 304 : entry->status(),
                            .client = request->client,
                            .location = request->location,
                            .id = request->id,
                            .result = CacheResult::Hit,
                            .tier = metrics::Tier::Redis,
                            .started = request->started});
  return true;
}

}  // namespace gateway::exchange
