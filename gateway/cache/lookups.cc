#include "gateway/cache/lookups.h"

#include <algorithm>
#include <asio/redirect_error.hpp>
#include <asio/use_awaitable.hpp>

namespace gateway::cache {

// The right to send, and the duty to wake whoever waits, however the lookup ends: a sender whose client leaves is
// cancelled in the middle.
struct Lookups::Turn {
  Lookups& lookups;
  std::string key;
  BatchPtr batch;  // those whom this lookup answers; null: nobody but the sender
  std::optional<Found> found;

  Turn(Lookups& of, std::string which) : lookups(of), key(std::move(which)) {
    Slot& slot = lookups.slots_[key];
    slot.busy = true;
    batch = std::exchange(slot.next, nullptr);
    if (batch) batch->state = Batch::State::Sent;
  }
  Turn(const Turn&) = delete;
  Turn& operator=(const Turn&) = delete;
  ~Turn() {
    answer(batch);
    Slot& slot = lookups.slots_[key];
    slot.busy = false;
    if (slot.next && found && !found->available) answer(std::exchange(slot.next, nullptr));
    if (slot.next)
      slot.next->changed.cancel();
    else
      lookups.slots_.erase(key);
  }
  void answer(const BatchPtr& whom) const {
    if (!whom) return;
    whom->state = found ? Batch::State::Answered : Batch::State::Lost;
    whom->found = found;
    if (found) whom->found->claimed = false;
    whom->changed.cancel();
  }
};

bool Lookups::free(const std::string& key) const {
  const auto slot = slots_.find(key);
  return slot == slots_.end() || !slot->second.busy;
}

asio::awaitable<Found> Lookups::look_up(std::string key, std::vector<std::string> surrogate_keys) {
  while (!free(key)) {
    auto& next = slots_[key].next;
    if (!next) next = std::make_shared<Batch>(io_);
    const BatchPtr batch = next;
    while (batch->state == Batch::State::Sent || (batch->state == Batch::State::Waiting && !free(key))) {
      asio::error_code ignored;
      co_await batch->changed.async_wait(asio::redirect_error(asio::use_awaitable, ignored));
    }
    if (batch->state == Batch::State::Answered) co_return *batch->found;
  }
  co_return co_await send(std::move(key), std::move(surrogate_keys));
}

asio::awaitable<Found> Lookups::send(std::string key, std::vector<std::string> surrogate_keys) {
  using namespace std::chrono;
  Turn turn(*this, key);
  const auto waited = turn.batch ? asio::steady_timer::clock_type::now() - turn.batch->began : nanoseconds(0);
  const auto left = std::max(limit_ - duration_cast<milliseconds>(waited), milliseconds(1));
  turn.found = co_await ask_(std::move(key), std::move(surrogate_keys), left);
  co_return *turn.found;
}

}  // namespace gateway::cache
