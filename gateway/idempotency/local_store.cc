#include "gateway/idempotency/local_store.h"

namespace gateway::idempotency {

namespace {
constexpr std::size_t kOverhead = 400;  // of a record beside its answer, roughly

policies::Instant now() {
  return std::chrono::duration_cast<policies::Instant>(std::chrono::steady_clock::now().time_since_epoch());
}
}  // namespace

asio::awaitable<std::optional<Claimed>> LocalStore::claim(Speaker speaker) {
  const auto at = now();
  make_room(at);
  const auto found = place_of(speaker.name);
  auto& record = found->second.record;
  Claimed claimed;
  claimed.claim = policies::claim_idempotency_key(record, speaker.fingerprint, speaker.owner, at, lease_);
  switch (claimed.claim) {
    case policies::IdempotencyClaim::Doubt:
      claimed.since_sent = std::chrono::duration_cast<std::chrono::milliseconds>(at - record->sent_at);
      break;
    case policies::IdempotencyClaim::Learned:
    case policies::IdempotencyClaim::Replay:
      claimed.answer = record->answer;
      break;
    case policies::IdempotencyClaim::Fresh:
      keep(found, at);
      break;
    case policies::IdempotencyClaim::InProgress:
    case policies::IdempotencyClaim::Mismatch:
      break;
  }
  co_return claimed;
}

asio::awaitable<std::optional<bool>> LocalStore::advance(Speaker speaker, policies::IdempotencyStep step,
                                                         std::string answer) {
  const auto at = now();
  const auto found = place_of(speaker.name);
  const bool done = policies::advance_idempotency_key(found->second.record, speaker.fingerprint, speaker.owner, step,
                                                      answer, at, lease_);
  if (!found->second.record)
    erase(found);
  else if (done)
    keep(found, at);
  make_room(at);
  co_return done;
}

asio::awaitable<void> LocalStore::reachable(std::chrono::milliseconds) { co_return; }

LocalStore::Records::iterator LocalStore::place_of(const std::string& name) {
  const auto [found, added] = records_.try_emplace(name);
  if (added) found->second.place = order_.insert(order_.end(), name);
  return found;
}

void LocalStore::keep(Records::iterator found, policies::Instant now) {
  auto& kept = found->second;
  kept.until = now + kKept;
  bytes_ -= kept.bytes;
  kept.bytes = kOverhead + kept.record->answer.size();
  bytes_ += kept.bytes;
  order_.splice(order_.end(), order_, kept.place);
}

void LocalStore::erase(Records::iterator found) {
  bytes_ -= found->second.bytes;
  order_.erase(found->second.place);
  records_.erase(found);
}

// Records that somebody works on stay, whatever their number: each belongs to a request under way.
void LocalStore::make_room(policies::Instant now) {
  for (auto next = order_.begin(); next != order_.end();) {
    const auto found = records_.find(*next++);
    const auto& kept = found->second;
    if (kept.until > now && bytes_ <= most_) return;
    if (kept.record && kept.record->phase != policies::IdempotencyPhase::Settled && kept.record->lease_until > now)
      continue;
    if (kept.until > now) on_evicted_();
    erase(found);
  }
}

}  // namespace gateway::idempotency
