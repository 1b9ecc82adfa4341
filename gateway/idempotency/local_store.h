// The records in this process, for a gateway without Redis: they end with it. Bounded: when they hold more than `most`
// bytes, the oldest settled ones go before their time, which `on_evicted` is told. Asio thread only.
#pragma once

#include <functional>
#include <list>
#include <unordered_map>

#include "gateway/idempotency/store.h"

namespace gateway::idempotency {

class LocalStore final : public Store {
 public:
  static constexpr std::size_t kMost = 32 << 20;

  explicit LocalStore(std::function<void()> on_evicted, std::size_t most = kMost, policies::Duration lease = kLease)
      : on_evicted_(std::move(on_evicted)), most_(most), lease_(lease) {}

  asio::awaitable<std::optional<Claimed>> claim(Speaker speaker) override;
  asio::awaitable<std::optional<bool>> advance(Speaker speaker, policies::IdempotencyStep step,
                                               std::string answer) override;
  asio::awaitable<void> reachable(std::chrono::milliseconds limit) override;

 private:
  struct Kept {
    std::optional<policies::IdempotencyRecord> record;
    policies::Instant until{0};
    std::list<std::string>::iterator place;  // in order_
    std::size_t bytes = 0;
  };
  using Records = std::unordered_map<std::string, Kept>;

  Records::iterator place_of(const std::string& name);
  void keep(Records::iterator found, policies::Instant now);
  void erase(Records::iterator found);
  void make_room(policies::Instant now);

  std::function<void()> on_evicted_;
  std::size_t most_;
  policies::Duration lease_;
  std::size_t bytes_ = 0;
  Records records_;
  std::list<std::string> order_;  // the one whose last step is longest ago first
};

}  // namespace gateway::idempotency
