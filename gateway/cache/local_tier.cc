#include "gateway/cache/local_tier.h"

#include "gateway/random.h"

namespace gateway::cache {

namespace {
constexpr std::string_view kRunId = "local";
// Beyond this number all keys without a mark are forgotten. What memory holds is guarded by the fence and not by them;
// all that is lost is that a read joins a flight under way.
constexpr std::size_t kMostKeys = 2'000;
}  // namespace

LocalTier::LocalTier(Fence& fence, policies::coherence::Timing timing)
    : fence_(fence), timing_(timing), ledger_(timing, false) {
  fence.hold_forever();
}

// The order: what is fetched after `shared_` is set is dead on arrival, what was fetched before is invalidated, and
// only then does the other process begin (or, at the end, is anything served again).
void LocalTier::share(bool with_another_process) {
  if (with_another_process) {
    shared_ = true;
    fence_.hold_until(std::chrono::milliseconds{0});
    fence_.invalidate_all();
  } else {
    shared_ = false;
    fence_.invalidate_all();
    fence_.hold_forever();
  }
}

asio::awaitable<Found> LocalTier::look_up(std::string, std::vector<std::string> surrogate_keys) {
  co_return look_up_now(surrogate_keys);
}

bool LocalTier::look_up_for(LookedFor what, std::function<void(Found)> then) {
  then(look_up_now(*what.surrogate_keys));
  return true;
}

Found LocalTier::look_up_now(const std::vector<std::string>& surrogate_keys) {
  Found found;
  if (shared_) fence_.invalidate_all();
  found.now = boottime();
  ledger_.trim(kMostKeys, found.now);
  found.view = ledger_.look_up(surrogate_keys, kRunId, found.now, random_id);
  return found;
}

asio::awaitable<void> LocalTier::wait_for_other(std::string, std::chrono::milliseconds) { co_return; }

asio::awaitable<void> LocalTier::finish(std::string, Found, std::shared_ptr<const StoredEntry>) { co_return; }

asio::awaitable<std::optional<policies::coherence::Write::Begun>> LocalTier::begin(std::vector<std::string> keys,
                                                                                   policies::coherence::WriteId write) {
  const auto now = boottime();
  ledger_.trim(kMostKeys, now);
  auto begun = ledger_.begin(keys, write, kRunId, now, random_id);
  begun.epoch_age = timing_.lease;  // no other memory than ours: a young epoch holds nobody
  co_return begun;
}

asio::awaitable<std::optional<bool>> LocalTier::end(std::vector<Ending> keys, policies::coherence::WriteId write,
                                                    policies::coherence::Epoch began_in) {
  std::vector<policies::coherence::Ledger::Key> endings;
  for (auto& key : keys) endings.push_back({std::move(key.key), key.keep});
  co_return ledger_.end(endings, write, began_in, kRunId, boottime(), random_id);
}

asio::awaitable<void> LocalTier::await_acknowledgements(std::shared_ptr<policies::coherence::Write>,
                                                        std::chrono::milliseconds) {
  co_return;
}

asio::awaitable<std::optional<policies::coherence::Write::Begun>> LocalTier::renew_epoch() {
  auto begun = ledger_.renew_epoch(kRunId, boottime(), random_id);
  begun.epoch_age = timing_.lease;
  co_return begun;
}

}  // namespace gateway::cache
