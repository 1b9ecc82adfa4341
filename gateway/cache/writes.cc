#include "gateway/cache/writes.h"

#include <algorithm>
#include <asio/steady_timer.hpp>
#include <asio/use_awaitable.hpp>

#include "gateway/random.h"

namespace gateway::cache {

using policies::coherence::Write;

namespace {
constexpr std::size_t kMostUnfenced = 10'000;
constexpr std::chrono::milliseconds kAskAgain{50};

std::vector<std::string> names(const std::vector<Writes::Key>& keys) {
  std::vector<std::string> out;
  for (const auto& key : keys) out.push_back(key.name);
  return out;
}
}  // namespace

Writes::Writes(asio::io_context& io, SharedTier& tier, Fence& fence, WritesOptions options)
    : io_(io), tier_(tier), fence_(fence), options_(std::move(options)) {}

asio::awaitable<std::shared_ptr<Writes::Ticket>> Writes::begin(std::vector<Key> keys) {
  auto ticket = std::make_shared<Ticket>();
  ticket->keys = std::move(keys);
  ticket->id = random_id();
  ticket->write = std::make_shared<Write>();
  if (co_await begin_and_await(ticket, names(ticket->keys))) co_return ticket;
  if (options_.refuse_unfenced) co_return nullptr;
  ticket->fenced = false;  // finish() makes up for it before anybody has the answer
  co_return ticket;
}

// Steps 1 and 2. False: Redis is away; this process' memory has dropped the keys all the same.
// The memory drops the keys after the script and not before it: a read that took its guard between the two would have
// looked up the old generations without a mark, and its fill would then be served after this write's answer.
asio::awaitable<bool> Writes::begin_and_await(std::shared_ptr<Ticket> ticket, std::vector<std::string> keys) {
  auto begun = co_await tier_.begin(keys, ticket->id);
  fence_.invalidate(keys);
  if (!begun) co_return false;
  co_await await(ticket->write, std::move(*begun));
  co_return true;
}

// Step 2.
asio::awaitable<void> Writes::await(std::shared_ptr<Write> write, Write::Begun begun) {
  write->begun(begun, tier_.self(), boottime(), options_.timing, options_.strict);
  while (!write->may_proceed(boottime()))
    co_await tier_.await_acknowledgements(write,
                                          std::max(write->await_until() - boottime(), std::chrono::milliseconds(1)));
  write->proceed();
}

asio::awaitable<void> Writes::finish(std::shared_ptr<Ticket> ticket, Outcome outcome, std::vector<Key> more_keys) {
  std::erase_if(more_keys, [&](const Key& key) {
    return std::any_of(ticket->keys.begin(), ticket->keys.end(),
                       [&](const Key& known) { return known.name == key.name; });
  });
  const auto more = names(more_keys);
  for (auto& key : more_keys) ticket->keys.push_back(std::move(key));

  if (ticket->fenced) {
    ticket->write->answered(!more.empty());
    if (!more.empty()) ticket->fenced = co_await begin_and_await(ticket, more);
  }
  if (ticket->fenced) {
    const bool held = co_await end(ticket, outcome);
    if (ticket->fenced && !held && outcome != Outcome::NotSent) {
      ticket->fenced = co_await begin_and_await(ticket, names(ticket->keys));
      if (ticket->fenced)
        co_await end(ticket, outcome);  // the new marks have done their work; whether they were held says nothing more
    }
  }
  if (ticket->fenced || outcome == Outcome::NotSent) co_return;
  if (co_await fence_late(ticket, outcome)) co_return;
  fence_.invalidate(names(ticket->keys));  // the fills of reads that began before the answer
  if (options_.on_unfenced) options_.on_unfenced();
  remember_unfenced(names(ticket->keys));
}

// Upstream has answered and Redis was not there for the marks. Either it comes back: then beginning now, before the
// client has its answer, does what the marks would have done. Or it stays away for a whole lease time from here: then
// every replica that lost it too has stopped using its memory, and whoever finds it back first finds that all leases
// ran out, which makes a new epoch and everything in Redis a miss. One that reaches Redis all the while cannot be
// fenced by any wait (README says so).
asio::awaitable<bool> Writes::fence_late(std::shared_ptr<Ticket> ticket, Outcome outcome) {
  asio::steady_timer timer(io_);
  for (const auto until = boottime() + options_.timing.lease;;) {
    ticket->fenced = co_await begin_and_await(ticket, names(ticket->keys));
    if (ticket->fenced) co_await end(ticket, outcome);
    if (ticket->fenced || !options_.strict || boottime() >= until) co_return ticket->fenced;
    timer.expires_after(kAskAgain);
    co_await timer.async_wait(asio::use_awaitable);
  }
}

// True: the marks were held to the end. Clears `fenced` where Redis is away.
asio::awaitable<bool> Writes::end(std::shared_ptr<Ticket> ticket, Outcome outcome) {
  std::vector<SharedTier::Ending> endings;
  for (const auto& key : ticket->keys) {
    const auto late = outcome == Outcome::Unknown ? options_.timing.upstream : std::chrono::milliseconds{0};
    endings.push_back(
        {key.name, outcome == Outcome::NotSent ? std::chrono::milliseconds{0} : std::max(key.settle, late)});
  }
  const auto held = co_await tier_.end(std::move(endings), ticket->id, ticket->write->began_in());
  if (!held) {
    ticket->fenced = false;
    co_return false;
  }
  ticket->write->ended(*held);
  co_return *held;
}

void Writes::remember_unfenced(const std::vector<std::string>& keys) {
  if (unfenced_.size() + keys.size() > kMostUnfenced) {
    unfenced_.clear();
    unfenced_all_ = true;
  }
  if (!unfenced_all_) unfenced_.insert(unfenced_.end(), keys.begin(), keys.end());
}

asio::awaitable<bool> Writes::invalidate_again(std::vector<std::string> keys) {
  const auto id = random_id();
  const auto begun = co_await tier_.begin(keys, id);
  fence_.invalidate(keys);
  if (!begun) co_return false;
  std::vector<SharedTier::Ending> endings;
  for (auto& key : keys) endings.push_back({std::move(key), {}});
  co_await tier_.end(std::move(endings), id, begun->epoch);
  co_return true;
}

asio::awaitable<bool> Writes::drop_everything() {
  auto begun = co_await tier_.renew_epoch();
  fence_.invalidate_all();
  if (!begun) co_return false;
  co_await await(std::make_shared<Write>(), std::move(*begun));
  co_return true;
}

asio::awaitable<bool> Writes::purge(std::vector<std::string> keys) {
  if (keys.empty()) co_return co_await drop_everything();
  std::vector<Key> dropped;
  for (auto& key : keys) dropped.push_back({std::move(key), {}});
  auto ticket = co_await begin(std::move(dropped));
  if (!ticket) co_return false;
  co_await finish(ticket, Outcome::Answered, {});
  co_return ticket->fenced;
}

asio::awaitable<void> Writes::repeat_unfenced() {
  if (!unfenced_all_ && unfenced_.empty()) co_return;
  auto keys = std::exchange(unfenced_, {});
  const bool all = std::exchange(unfenced_all_, false);
  if (all ? co_await drop_everything() : co_await invalidate_again(keys)) co_return;
  if (all)
    unfenced_all_ = true;
  else
    remember_unfenced(keys);
}

}  // namespace gateway::cache
