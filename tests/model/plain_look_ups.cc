// A lookup by plain commands, step by step, as gateway/cache/redis_look_up.cc sends them and drives
// policies::coherence::PlainLookUp. The checks are taken out by telling it what it would like to hear.
#include "tests/model/explorer.h"

namespace model {

void Explorer::plain_step(const World& world, std::size_t i) {
  const auto keys = static_cast<int>(keys_.size()), at = world.readers[i].plain_steps;
  const char* const text = at == 0          ? "read %d asks plainly: the epoch"
                           : at <= keys     ? "read %d asks plainly: a surrogate key"
                           : at == keys + 1 ? "read %d asks plainly: the entry"
                           : at == keys + 2 ? "read %d asks plainly: a write that changes nothing"
                                            : "read %d asks plainly: the clock";
  step(world, {text, static_cast<int>(i)}, [&](World& next) {
    auto& reader = next.readers[i];
    const auto& from = server(std::as_const(next), reader.replica);
    reader.at = Reader::At::Plain;
    ++reader.plain_steps;
    bool hope = true;
    if (at == 0)
      hope = plain_epoch(reader, from);
    else if (at <= keys)
      hope = plain_key(reader, from);
    else if (at == keys + 1)
      hope = plain_entry(reader, from);
    else if (at == keys + 2)
      hope = !from.read_only || without(Without::PlainWrite);
    else if (hope = reader.plain.may_serve_at(next.now); hope) {
      reader.at = Reader::At::Found;
      reader.plain = {};
      reader.plain_steps = 0;
      return serve(reader, reader.value);
    }
    if (!hope)
      reader = {.at = Reader::At::Asking, .replica = reader.replica, .floor = reader.floor, .counter = reader.counter};
    return true;
  });
}

bool Explorer::plain_epoch(Reader& reader, const Server& from) const {
  const auto seen = from.ledger.plain_epoch();
  reader.plain.epoch(seen.epoch, without(Without::PlainRunId) || seen.run_id == run_id(from),
                     without(Without::PlainLease) ? std::nullopt : seen.last_lease_ends);
  return !reader.plain.doubtful();
}

bool Explorer::plain_key(Reader& reader, const Server& from) const {
  const auto seen = from.ledger.plain_key(keys_[static_cast<std::size_t>(reader.plain_steps - 2)]);
  reader.plain.key(seen.generation, seen.marked && !without(Without::PlainMarks));
  return !reader.plain.doubtful();
}

bool Explorer::plain_entry(Reader& reader, const Server& from) const {
  if (!from.entry) return false;
  auto stamp = from.entry->stamp;
  if (without(Without::PlainEpoch)) stamp.epoch = reader.plain.view().epoch;
  if (without(Without::PlainGenerations)) stamp.generations = reader.plain.view().generations;
  reader.value = from.entry->value;
  return reader.plain.entry(stamp);
}

}  // namespace model
