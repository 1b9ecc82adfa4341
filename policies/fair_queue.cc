#include "policies/fair_queue.h"

#include <algorithm>
#include <iterator>
#include <numeric>

namespace policies {

int FairQueue::urgency_at(const Waiter& waiter, Instant now) const {
  const auto steps = std::max<Duration::rep>(0, (now - waiter.since) / options_.ageing_step);
  return static_cast<int>(std::max<Duration::rep>(0, waiter.urgency - steps));
}

Instant FairQueue::next_step(const Entry& entry) const {
  if (entry.urgency == 0) return kNever;
  return entry.waiter.since + (entry.waiter.urgency - entry.urgency + 1) * options_.ageing_step;
}

void FairQueue::rank(std::uint32_t id, const Client& client) {
  ring_[static_cast<std::size_t>(std::get<0>(*client.order.begin()))].emplace(client.turn, id);
  backlog_.emplace(client.order.size(), id);
}

void FairQueue::unrank(std::uint32_t id, const Client& client) {
  ring_[static_cast<std::size_t>(std::get<0>(*client.order.begin()))].erase({client.turn, id});
  backlog_.erase({client.order.size(), id});
}

void FairQueue::insert(const Entry& entry) {
  const auto& waiter = entry.waiter;
  auto& client = clients_[waiter.client];
  if (client.order.empty())
    client.turn = ++turns_;
  else
    unrank(waiter.client, client);
  client.order.emplace(entry.urgency, entry.arrival, waiter.id);
  ++client.asked[static_cast<std::size_t>(waiter.urgency)];
  ++client.aged[static_cast<std::size_t>(entry.urgency)];
  ++asked_[static_cast<std::size_t>(waiter.urgency)];
  rank(waiter.client, client);
  if (const auto step = next_step(entry); step != kNever) steps_.emplace(step, waiter.id);
}

void FairQueue::erase(const Entry& entry) {
  const auto& waiter = entry.waiter;
  auto& client = clients_[waiter.client];
  unrank(waiter.client, client);
  client.order.erase({entry.urgency, entry.arrival, waiter.id});
  --client.asked[static_cast<std::size_t>(waiter.urgency)];
  --client.aged[static_cast<std::size_t>(entry.urgency)];
  --asked_[static_cast<std::size_t>(waiter.urgency)];
  steps_.erase({next_step(entry), waiter.id});
  if (client.order.empty())
    clients_.erase(waiter.client);
  else
    rank(waiter.client, client);
}

void FairQueue::age(Instant now) {
  while (!steps_.empty() && steps_.begin()->first <= now) {
    auto& entry = entries_.at(steps_.begin()->second);
    auto& client = clients_.at(entry.waiter.client);
    steps_.erase(steps_.begin());
    unrank(entry.waiter.client, client);
    client.order.erase({entry.urgency, entry.arrival, entry.waiter.id});
    --client.aged[static_cast<std::size_t>(entry.urgency)];
    entry.urgency = urgency_at(entry.waiter, now);
    ++client.aged[static_cast<std::size_t>(entry.urgency)];
    client.order.emplace(entry.urgency, entry.arrival, entry.waiter.id);
    rank(entry.waiter.client, client);
    if (const auto step = next_step(entry); step != kNever) steps_.emplace(step, entry.waiter.id);
  }
}

std::optional<FairQueue::Id> FairQueue::last_to_displace(const Waiter& newcomer, int urgency) const {
  const auto own = clients_.find(newcomer.client);
  const auto own_backlog = own == clients_.end() ? 0 : own->second.order.size();
  const auto [longest, client] = *backlog_.rbegin();
  if (longest > own_backlog + 1) return std::get<2>(*clients_.at(client).order.rbegin());
  if (own_backlog > 0 && std::get<0>(*own->second.order.rbegin()) > urgency)
    return std::get<2>(*own->second.order.rbegin());
  return std::nullopt;
}

FairQueue::Joined FairQueue::join(Waiter waiter, Instant now) {
  age(now);
  waiter.urgency = std::clamp(waiter.urgency, 0, kUrgencies - 1);
  const auto urgency = urgency_at(waiter, now);
  Joined joined;
  if (options_.most == 0 || entries_.contains(waiter.id)) return joined;
  if (entries_.size() >= options_.most) {
    joined.displaced = last_to_displace(waiter, urgency);
    if (!joined.displaced) return joined;
    leave(*joined.displaced);
  }
  insert(entries_[waiter.id] = Entry{waiter, urgency, ++arrivals_});
  joined.queued = true;
  return joined;
}

bool FairQueue::leave(Id id) {
  const auto found = entries_.find(id);
  if (found == entries_.end()) return false;
  erase(found->second);
  entries_.erase(found);
  return true;
}

void FairQueue::improve(Id id, int urgency, Instant now) {
  age(now);
  const auto found = entries_.find(id);
  if (found == entries_.end()) return;
  auto entry = found->second;
  entry.waiter.urgency = std::clamp(std::min(entry.waiter.urgency, urgency), 0, kUrgencies - 1);
  entry.urgency = urgency_at(entry.waiter, now);
  const auto turn = clients_.at(entry.waiter.client).turn;
  erase(found->second);
  insert(found->second = entry);
  auto& client = clients_.at(entry.waiter.client);
  unrank(entry.waiter.client, client);
  client.turn = turn;  // it keeps its place in the round
  rank(entry.waiter.client, client);
}

std::optional<Waiter> FairQueue::pop(Instant now) {
  age(now);
  if (entries_.empty()) return std::nullopt;
  const auto best_asked = std::find_if(asked_.begin(), asked_.end(), [](auto count) { return count > 0; });
  std::optional<std::pair<std::uint64_t, std::uint32_t>> next;
  for (auto level = ring_.begin(); level != ring_.begin() + (best_asked - asked_.begin()) + 1; ++level)
    if (!level->empty() && (!next || *level->begin() < *next)) next = *level->begin();
  auto& client = clients_.at(next->second);
  const auto entry = entries_.at(std::get<2>(*client.order.begin()));
  unrank(next->second, client);
  client.turn = ++turns_;
  rank(next->second, client);
  leave(entry.waiter.id);
  return entry.waiter;
}

std::vector<Waiter> FairQueue::take_beyond(int urgency) {
  std::vector<Waiter> taken;
  if (waiting(urgency) == size()) return taken;
  for (const auto& [id, entry] : entries_)
    if (entry.waiter.urgency > urgency) taken.push_back(entry.waiter);
  for (const auto& waiter : taken) leave(waiter.id);
  return taken;
}

std::size_t FairQueue::waiting(int urgency) const {
  return std::accumulate(asked_.begin(), asked_.begin() + std::clamp(urgency + 1, 0, kUrgencies), std::size_t{0});
}

std::size_t FairQueue::ahead(std::uint32_t client, int urgency, Instant now) {
  age(now);
  const auto level = std::clamp(urgency, 0, kUrgencies - 1);
  const auto sum = [](const auto& counts, int end) {
    return std::accumulate(counts.begin(), counts.begin() + end, std::size_t{0});
  };
  const auto own = clients_.find(client);
  const auto before = own == clients_.end() ? 0 : sum(own->second.aged, level + 1);
  auto ahead = before;
  for (const auto& [id, other] : clients_) {
    if (id == client) continue;
    const auto better = sum(other.asked, level);
    ahead += better + std::min(before, sum(other.aged, level + 1) - better);  // equals take turns with us
  }
  return ahead;
}

}  // namespace policies
