#include "policies/rate_window.h"

#include <algorithm>

namespace policies {

RateLimit stricter(RateLimit configured, RateLimit stated) {
  const auto spans = (stated.interval + configured.interval - Duration{1}) / configured.interval;
  if (configured.requests * static_cast<std::uint64_t>(spans) <= stated.requests) return configured;
  // The configured rate over the stated interval; where that is no whole request, the longer interval with the fewer
  // requests.
  const auto scaled = static_cast<std::uint64_t>(static_cast<double>(configured.requests) *
                                                 static_cast<double>(stated.interval.count()) /
                                                 static_cast<double>(configured.interval.count()));
  if (scaled >= 1) return {std::min(stated.requests, scaled), stated.interval};
  return {std::min(stated.requests, configured.requests), std::max(stated.interval, configured.interval)};
}

RateWindow::RateWindow(RateLimit limit, Duration hold) : limit_(limit), hold_(hold) {}

std::uint64_t RateWindow::ceiling() const { return std::min(limit_.requests, cap_); }

void RateWindow::drop_expired(Instant now) {
  // A request that had its longest time is taken for ended then; its own report, when it comes late, counts instead.
  while (!in_flight_.empty() && in_flight_.front().first + hold_ <= now) {
    const auto [granted, id] = in_flight_.front();
    in_flight_.pop_front();
    permits_[id].free_at = granted + hold_ + limit_.interval;
    cooling_.insert(permits_[id].free_at, id);
  }
  while (!cooling_.empty() && cooling_.front().first <= now) {
    permits_.erase(cooling_.front().second);
    cooling_.pop_front();
  }
}

std::uint64_t RateWindow::occupied(Instant now) {
  drop_expired(now);
  return in_flight_.size() + cooling_.size();
}

std::uint64_t RateWindow::available(Instant now) {
  const auto taken = occupied(now);
  return taken < ceiling() ? ceiling() - taken : 0;
}

std::uint64_t RateWindow::free_by(Instant now, Instant then, std::uint64_t enough) {
  auto taken = occupied(now);
  for (auto slot = cooling_.begin(); slot != cooling_.end() && slot->first <= then && taken + enough > ceiling();
       ++slot)
    --taken;
  return taken < ceiling() ? ceiling() - taken : 0;
}

std::uint64_t RateWindow::supply(Instant now) {
  drop_expired(now);
  return in_flight_.size() < ceiling() ? ceiling() - in_flight_.size() : 0;
}

bool RateWindow::try_grant(Id id, Instant now) {
  if (now < paused_until_ || available(now) == 0) return false;
  record(id, now);
  return true;
}

void RateWindow::record(Id id, Instant now) {
  if (permits_.emplace(id, Permit{now}).second) in_flight_.insert(now, id);
}

void RateWindow::ended(Id id, Instant now) {
  unsent(id);
  cooling_.insert(now + limit_.interval, id);
}

void RateWindow::unsent(Id id) {
  const auto found = permits_.find(id);
  if (found == permits_.end()) return;
  in_flight_.erase(found->second.granted, id);
  cooling_.erase(found->second.free_at, id);
  permits_.erase(found);
}

void RateWindow::set_limit(RateLimit limit) {
  if (limit.interval > limit_.interval) {
    const auto longer = limit.interval - limit_.interval;
    cooling_.delay(longer);
    for (auto& [id, permit] : permits_)
      if (permit.free_at != kNever) permit.free_at += longer;
  }
  limit_ = limit;
}

void RateWindow::set_cap(std::uint64_t requests) { cap_ = requests; }

std::uint64_t RateWindow::believe_remaining(std::uint64_t remaining, Instant now) {
  const auto taken = occupied(now);
  const auto believed = taken < ceiling() ? ceiling() - taken : 0;
  for (auto left = believed; left > remaining; --left) cooling_.insert(now + limit_.interval, Id{0});
  return believed > remaining ? believed - remaining : 0;
}

void RateWindow::pause_until(Instant until) { paused_until_ = std::max(paused_until_, until); }

Instant RateWindow::next_free(Instant now, std::uint64_t k, Duration typical) {
  const auto slots = ceiling();
  if (slots == 0) return kNever;
  const auto taken = occupied(now);
  const auto earliest = std::max(now, paused_until_);
  // A slot serves once in W plus the time a request takes: the k-th grant is a later turn of the (k mod slots)-th.
  const auto turns = static_cast<Duration::rep>(k / slots) * (limit_.interval + typical);
  auto place = k % slots + taken;  // counted from the slots that are free now
  if (place < slots) return earliest + turns;
  place -= slots;
  if (place < cooling_.size()) {
    return std::max(earliest, cooling_[place].first) + turns;
  }
  const auto granted = in_flight_[place - cooling_.size()].first;
  return std::max(earliest, std::max(now, granted + std::min(typical, hold_)) + limit_.interval) + turns;
}

void RateWindow::each_slot(Instant now, const std::function<void(Id, Instant)>& visit) {
  drop_expired(now);
  for (const auto& [free_at, id] : cooling_) visit(id, free_at);
  for (const auto& [granted, id] : in_flight_) visit(id, granted + hold_ + limit_.interval);
}

}  // namespace policies
