#include "policies/ledger.h"

#include <algorithm>

namespace policies::coherence {

Ledger::EpochRecord& Ledger::epoch_of(std::string_view run_id, Milliseconds now, const Ids& ids) {
  if (epoch_ && epoch_->run_id == run_id && (!epoch_->until || *epoch_->until > now)) return *epoch_;
  return new_epoch(run_id, now, ids);
}

Ledger::EpochRecord& Ledger::new_epoch(std::string_view run_id, Milliseconds now, const Ids& ids) {
  epoch_ = EpochRecord{ids(), std::string(run_id), now, 0, {}, {}};
  if (leased_) epoch_->until = now + timing_.lease;
  log_.clear();
  return *epoch_;
}

void Ledger::drop_expired(Surrogate& surrogate, Milliseconds now) {
  std::erase_if(surrogate.marks, [&](const auto& mark) { return mark.second <= now; });
}

View Ledger::look_up(const std::vector<std::string>& keys, std::string_view run_id, Milliseconds now, const Ids& ids) {
  View view;
  view.epoch = epoch_of(run_id, now, ids).epoch;
  for (const auto& key : keys) {
    auto& surrogate = surrogates_[key];
    if (surrogate.generation == 0) surrogate.generation = ids();
    drop_expired(surrogate, now);
    view.generations.push_back(surrogate.generation);
    for (const auto& [write, until] : surrogate.marks) view.marks.push_back(write);
  }
  std::sort(view.marks.begin(), view.marks.end());
  view.marks.erase(std::unique(view.marks.begin(), view.marks.end()), view.marks.end());
  return view;
}

Ledger::PlainEpoch Ledger::plain_epoch() const {
  if (!epoch_) return {};
  return {epoch_->epoch, epoch_->run_id, epoch_->until};
}

Ledger::PlainKey Ledger::plain_key(const std::string& key) const {
  const auto found = surrogates_.find(key);
  if (found == surrogates_.end()) return {};
  return {found->second.generation, !found->second.marks.empty()};
}

Write::Begun Ledger::begin(const std::vector<std::string>& keys, WriteId write, std::string_view run_id,
                           Milliseconds now, const Ids& ids) {
  auto& epoch = epoch_of(run_id, now, ids);
  for (const auto& key : keys) {
    auto& surrogate = surrogates_[key];
    surrogate.generation = ids();
    surrogate.marks[write] = now + timing_.mark();
  }
  log_.push_back({++epoch.end, now, keys});
  if (log_.size() > kLogEntries) log_.erase(log_.begin());
  return {epoch.epoch, epoch.end, live(epoch, now), now - epoch.since};
}

std::vector<std::string> Ledger::live(const EpochRecord& epoch, Milliseconds now) {
  std::vector<std::string> replicas;
  for (const auto& [id, replica] : epoch.replicas)
    if (replica.lease_until > now) replicas.push_back(id);
  return replicas;
}

Write::Begun Ledger::renew_epoch(std::string_view run_id, Milliseconds now, const Ids& ids) {
  const auto& old = epoch_of(run_id, now, ids);
  Write::Begun begun{0, 0, live(old, now), now - old.since};
  begun.epoch = new_epoch(run_id, now, ids).epoch;
  return begun;
}

bool Ledger::end(const std::vector<Key>& keys, WriteId write, Epoch began_in, std::string_view run_id, Milliseconds now,
                 const Ids& ids) {
  bool held = epoch_of(run_id, now, ids).epoch == began_in;
  for (const auto& key : keys) {
    auto found = surrogates_.find(key.name);
    if (found == surrogates_.end()) {
      held = false;
      continue;
    }
    auto& marks = found->second.marks;
    drop_expired(found->second, now);
    auto mark = marks.find(write);
    if (mark == marks.end())
      held = false;
    else if (key.keep.count() > 0)
      mark->second = now + key.keep;
    else
      marks.erase(mark);
  }
  return held;
}

void Ledger::renew(EpochRecord& epoch, const std::string& replica, Position position, Milliseconds now) {
  epoch.replicas[replica] = {replica, position, now + timing_.lease};
  epoch.until = now + timing_.lease;
}

void Ledger::leave(const std::string& replica, std::string_view run_id, Milliseconds now, const Ids& ids) {
  auto& epoch = epoch_of(run_id, now, ids);
  epoch.replicas.erase(replica);
  epoch.until.reset();
  for (const auto& [id, other] : epoch.replicas)
    epoch.until = std::max(epoch.until.value_or(Milliseconds{0}), other.lease_until);
}

Ledger::Reported Ledger::report(const std::string& replica, const Follower::Report& report, std::string_view run_id,
                                Milliseconds now, const Ids& ids) {
  auto& epoch = epoch_of(run_id, now, ids);
  Reported out{epoch.epoch, false, false, epoch.end, {}};
  if (report.epoch != epoch.epoch) {
    // New here: its memory is empty from now on, so it has missed nothing.
    out.cut = true;
    out.renewed = true;
    renew(epoch, replica, epoch.end, now);
    return out;
  }
  auto first =
      std::find_if(log_.begin(), log_.end(), [&](const Entry& entry) { return entry.position == report.position + 1; });
  if (report.position < epoch.end && first == log_.end()) {
    out.cut = true;
    out.renewed = true;
    renew(epoch, replica, epoch.end, now);
    return out;
  }
  out.missed.assign(first, log_.end());
  if (out.missed.empty() || now - out.missed.front().at <= timing_.grace) {
    renew(epoch, replica, report.position, now);
    out.renewed = true;
  }
  return out;
}

void Ledger::trim(std::size_t most_keys, Milliseconds now) {
  if (surrogates_.size() <= most_keys) return;
  for (auto item = surrogates_.begin(); item != surrogates_.end();) {
    drop_expired(item->second, now);
    item = item->second.marks.empty() ? surrogates_.erase(item) : std::next(item);
  }
}

}  // namespace policies::coherence
