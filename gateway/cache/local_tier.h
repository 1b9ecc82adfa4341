// The coherence book-keeping without Redis: a Ledger in this process. Entries live in the memory tier alone. Asio
// thread only.
#pragma once

#include <atomic>

#include "gateway/cache/fence.h"
#include "gateway/cache/shared_tier.h"
#include "policies/ledger.h"

namespace gateway::cache {

class LocalTier final : public SharedTier {
 public:
  LocalTier(Fence& fence, policies::coherence::Timing timing);

  // While another process without Redis answers at the same address (a take-over), neither can see the other's writes:
  // nothing is served from memory, nothing is kept, and each lookup is a state of its own, so that no read joins a
  // fetch from before a write that the other has answered. The end of it empties the memory tier. Any thread.
  void share(bool with_another_process);

  asio::awaitable<Found> look_up(std::string key, std::vector<std::string> surrogate_keys) override;
  bool look_up_for(LookedFor what, std::function<void(Found)> then) override;
  bool stores() const override { return false; }
  asio::awaitable<void> wait_for_other(std::string key, std::chrono::milliseconds limit) override;
  asio::awaitable<void> finish(std::string key, Found found, std::shared_ptr<const StoredEntry> entry) override;
  asio::awaitable<std::optional<policies::coherence::Write::Begun>> begin(std::vector<std::string> keys,
                                                                          policies::coherence::WriteId write) override;
  asio::awaitable<std::optional<bool>> end(std::vector<Ending> keys, policies::coherence::WriteId write,
                                           policies::coherence::Epoch began_in) override;
  asio::awaitable<void> await_acknowledgements(std::shared_ptr<policies::coherence::Write> write,
                                               std::chrono::milliseconds limit) override;
  const std::string& self() const override { return self_; }
  std::size_t known_keys() const { return ledger_.keys(); }  // bounded, but for those of writes under way
  asio::awaitable<std::optional<policies::coherence::Write::Begun>> renew_epoch() override;

 private:
  Found look_up_now(const std::vector<std::string>& surrogate_keys);

  Fence& fence_;
  std::atomic<bool> shared_{false};
  policies::coherence::Timing timing_;
  policies::coherence::Ledger ledger_;
  std::string self_ = "local";
};

}  // namespace gateway::cache
