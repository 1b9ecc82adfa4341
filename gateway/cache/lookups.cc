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
  BatchPtr batch;              // those whom this lookup answers; null: nobody but the sender
  std::optional<Found> found;  // for them; or only that Redis did not answer

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

std::shared_ptr<Lookups::Turn> Lookups::turn(const std::string& key) {
  return free(key) ? std::make_shared<Turn>(*this, key) : nullptr;
}

void Lookups::found(Turn& turn, const Found& found) {
  if (turn.batch || !found.available) turn.found = found;
}

std::chrono::milliseconds Lookups::limit(const Turn& turn) const {
  using namespace std::chrono;
  if (!turn.batch) return limit_;
  const auto waited = asio::steady_timer::clock_type::now() - turn.batch->began;
  return std::max(limit_ - duration_cast<milliseconds>(waited), milliseconds(1));
}

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
  Turn turn(*this, key);
  auto answer = co_await ask_(std::move(key), std::move(surrogate_keys), limit(turn));
  found(turn, answer);
  co_return answer;
}

}  // namespace gateway::cache
