#include "policies/coherence.h"

#include <algorithm>

namespace policies::coherence {

Stamp stamp_of(const View& view) { return {view.epoch, view.generations}; }

bool may_serve(const Stamp& entry, const View& now) {
  return now.marks.empty() && entry.epoch == now.epoch && entry.generations == now.generations;
}

bool may_store(const View& before_fetch) { return before_fetch.marks.empty(); }

bool may_share_fetch(const View& flight, std::uint64_t flight_counter, const View& reader,
                     std::uint64_t reader_counter) {
  return reader.known() && flight == reader && flight_counter == reader_counter;
}

void Write::begun(const Begun& begun, const std::string& self, Milliseconds now, const Timing& timing, bool wait) {
  if (!applied_) began_in_ = begun.epoch;
  epoch_ = begun.epoch;
  position_ = begun.position;
  waiting_.clear();
  quarantine_ = until_ = now;
  if (wait) {
    for (const auto& replica : begun.live)
      if (replica != self) waiting_.push_back(replica);
    // A young epoch: some replica may still use its memory on a lease from before, and no acknowledgement can be asked
    // of it.
    const auto age = std::max(begun.epoch_age, Milliseconds{0});  // the clock it is counted by may have been set back
    if (age < timing.lease) quarantine_ = now + (timing.lease - age);
    until_ = waiting_.empty() ? quarantine_ : std::max(quarantine_, now + timing.lease);
  }
  step_ = Step::Await;
}

void Write::acknowledged(const std::string& replica, Epoch epoch, Position position) {
  if (epoch != epoch_ || position < position_) return;
  std::erase(waiting_, replica);
  if (waiting_.empty()) until_ = quarantine_;
}

bool Write::may_proceed(Milliseconds now) const { return now >= quarantine_ && (waiting_.empty() || now >= until_); }

void Write::proceed() {
  waiting_.clear();
  step_ = !applied_ ? Step::Send : ended_ ? Step::Answer : Step::End;
}

void Write::answered(bool more_keys) {
  applied_ = true;
  step_ = more_keys ? Step::Begin : Step::End;
}

void Write::ended(bool held) {
  ended_ = true;
  step_ = held ? Step::Answer : Step::Begin;
}

Follower::Applied Follower::apply(Epoch epoch, Position position) {
  // A reply of another epoch: the next report settles what to do. Until then our lease belongs to an epoch in which
  // writers wait for it to run out.
  if (epoch != epoch_) return Applied::Known;
  if (position <= position_) return Applied::Known;
  if (position != position_ + 1) return Applied::Gap;
  position_ = position;
  return Applied::Next;
}

bool Follower::reported(Epoch epoch, bool renewed, bool cut, Position end, Milliseconds sent_at) {
  const bool anew = epoch != epoch_ || cut;
  if (anew) {
    epoch_ = epoch;
    position_ = end;
  }
  if (renewed) {
    held_ = true;
    sent_at_ = std::max(sent_at_, sent_at);
  } else if (anew) {
    held_ = false;
  }
  return anew;
}

bool Follower::lapse(Milliseconds now, const Timing& timing) {
  if (!held_ || may_use(now, timing)) return false;
  held_ = false;
  return true;
}

}  // namespace policies::coherence
