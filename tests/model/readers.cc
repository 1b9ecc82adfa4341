// A reader's steps, as gateway/exchange takes them: memory, lookup, a flight of its own or another's, store, serve.
#include "tests/model/explorer.h"

namespace model {

bool Explorer::usable(const World& world, int r) const {
  return without(Without::LeaseFence) || world.now < world.replicas[static_cast<std::size_t>(r)].usable_until;
}

bool Explorer::serve(World& world, std::size_t i, int value) {
  auto& reader = world.readers[i];
  reader.at = Reader::At::Done;
  reader.value = value;
  if (value < reader.floor) {
    trace_.back() += ": serves version " + std::to_string(value) + ", but " + std::to_string(reader.floor) +
                     " was answered before it began";
    violation();
    return false;
  }
  return true;
}

bool Explorer::fill(World& world, const Reader& reader, int value) {
  auto& replica = world.replicas[static_cast<std::size_t>(reader.replica)];
  replica.memory = {true, value, without(Without::MemoryGuard) ? replica.counter : reader.counter};
  return true;
}

void Explorer::reader_steps(const World& world, std::size_t i) {
  const auto& reader = world.readers[i];
  const std::string name = "read " + std::to_string(i);
  using At = Reader::At;
  switch (reader.at) {
    case At::Idle:
      for (int r = 0; r < kReplicas; ++r)
        step(world, name + " begins at r" + std::to_string(r), [&, r](World& next) {
          auto& mine = next.readers[i];
          const auto& replica = next.replicas[static_cast<std::size_t>(r)];
          mine.replica = r;
          mine.floor = next.answered;
          mine.counter = replica.counter;
          mine.at = At::Guarded;
          if (replica.memory.full && replica.memory.counter == replica.counter && usable(next, r))
            return serve(next, i, replica.memory.value);
          return true;
        });
      break;
    case At::Guarded:
      step(world, name + " looks up", [&](World& next) { return look_up(next, i, -1); });
      for (std::size_t j = 0; j < world.readers.size(); ++j)
        if (j != i && joinable(world.readers[j], reader))
          step(world, name + " looks up and may join read " + std::to_string(j),
               [&, j](World& next) { return look_up(next, i, static_cast<int>(j)); });
      break;
    case At::Looked:
      step(world, name + " fetches", [&](World& next) {
        next.readers[i].value = next.version;
        next.readers[i].at = At::Fetched;
        return true;
      });
      break;
    case At::Fetched:
      step(world, name + " stores and is served", [&](World& next) {
        auto& mine = next.readers[i];
        if (may_store(mine.view)) {
          next.entry = RedisEntry{mine.value, stamp_of(mine.view)};
          fill(next, mine, mine.value);
        }
        for (auto& other : next.readers)
          if (other.at == At::Flying && other.flight == static_cast<int>(i) &&
              !serve(next, static_cast<std::size_t>(&other - next.readers.data()), mine.value))
            return false;
        return serve(next, i, mine.value);
      });
      break;
    default:
      break;
  }
}

bool Explorer::joinable(const Reader& flight, const Reader& reader) {
  return flight.replica == reader.replica && (flight.at == Reader::At::Looked || flight.at == Reader::At::Fetched);
}

bool Explorer::look_up(World& world, std::size_t i, int join) {
  auto& reader = world.readers[i];
  reader.view = world.redis.look_up(kKeys, run_id(world), world.now, ids(world));
  if (world.entry && may_serve(world.entry->stamp, reader.view)) {
    fill(world, reader, world.entry->value);
    return serve(world, i, world.entry->value);
  }
  reader.at = Reader::At::Looked;
  if (join < 0) return true;
  const auto& flight = world.readers[static_cast<std::size_t>(join)];
  const bool same = may_share_fetch(flight.view, static_cast<std::uint64_t>(flight.counter), reader.view,
                                    static_cast<std::uint64_t>(reader.counter));
  if (!same && !without(Without::FlightState)) return false;
  reader.at = Reader::At::Flying;
  reader.flight = join;
  return true;
}

}  // namespace model
