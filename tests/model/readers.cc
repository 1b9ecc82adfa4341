// A reader's steps, as gateway/exchange takes them: memory, lookup, a flight of its own or another's, store, serve.
#include "tests/model/explorer.h"

namespace model {

using At = Reader::At;

bool Explorer::usable(const World& world, int r) const {
  return without(Without::LeaseFence) || world.now < world.replicas[static_cast<std::size_t>(r)].usable_until;
}

// Whatever it does after this, what it answers is settled.
bool Explorer::serve(const Reader& reader, int value) {
  if (value < reader.floor) violation(value, reader.floor);
  return true;
}

void Explorer::fill(World& world, const Reader& reader, int value) const {
  if (!bounds_.memory) return;
  auto& replica = world.replicas[static_cast<std::size_t>(reader.replica)];
  replica.memory = {true, value, without(Without::MemoryGuard) ? replica.counter : reader.counter};
}

void Explorer::reader_steps(const World& world, std::size_t i) {
  switch (world.readers[i].at) {
    case At::Idle:
      return read_begins(world, i);
    case At::Guarded:
      if (bounds_.script) script_steps(world, i);
      if (bounds_.plain && !world.stands_still) plain_step(world, i);
      return;
    case At::Asking:
      return script_steps(world, i);
    case At::Plain:
      if (!world.stands_still) plain_step(world, i);
      return;
    case At::Looked:
      return step(world, {"read %d fetches", static_cast<int>(i)}, [&](World& next) {
        next.readers[i].value = next.version;
        next.readers[i].at = At::Fetched;
        return true;
      });
    case At::Found:
    case At::Fetched:
    case At::Stored:
    case At::Storing:
      return fetched_steps(world, i);
    case At::Flying:
    case At::Gone:
      return;
  }
}

void Explorer::read_begins(const World& world, std::size_t i) {
  for (int r = 0; r < kReplicas; ++r)
    step(world, {"read %d begins at r%d", static_cast<int>(i), r}, [&](World& next) {
      auto& mine = next.readers[i];
      const auto& replica = next.replicas[static_cast<std::size_t>(r)];
      // A master that was deposed and has not learnt of it answers what it will (README).
      const bool promised = !replica.at_deposed || next.deposed->read_only;
      mine = {.at = At::Guarded, .replica = r, .floor = promised ? next.answered : 0, .counter = replica.counter};
      if (!replica.memory.full || replica.memory.counter != replica.counter || !usable(next, r)) return true;
      serve(mine, replica.memory.value);
      mine = {.at = At::Gone};
      return true;
    });
}

void Explorer::script_steps(const World& world, std::size_t i) {
  const auto& reader = world.readers[i];
  if (!takes_scripts(world, reader.replica)) return;
  step(world, {"read %d looks up", static_cast<int>(i)}, [&](World& next) { return look_up(next, i, -1); });
  for (std::size_t j = 0; j < static_cast<std::size_t>(bounds_.reads); ++j)
    if (j != i && joinable(world.readers[j], reader))
      step(world, {"read %d looks up and may join read %d", static_cast<int>(i), static_cast<int>(j)},
           [&](World& next) { return look_up(next, i, static_cast<int>(j)); });
}

bool Explorer::joinable(const Reader& flight, const Reader& reader) const {
  return flight.replica == reader.replica &&
         (flight.at == At::Looked || flight.at == At::Fetched || flight.at == At::Stored);
}

bool Explorer::look_up(World& world, std::size_t i, int join) {
  auto& reader = world.readers[i];
  auto& server = Explorer::server(world, reader.replica).change();
  const auto view = server.ledger.look_up(keys_, run_id(server), world.now, ids(world));
  if (server.entry && may_serve(server.entry->stamp, view)) {
    if (join >= 0) return false;
    reader.value = server.entry->value;
    reader.at = At::Found;
    return serve(reader, reader.value);
  }
  reader.at = At::Looked;
  reader.view = view;
  if (join < 0) return true;
  const auto& flight = world.readers[static_cast<std::size_t>(join)];
  auto seen = flight.view;
  if (without(Without::FlightMarks)) seen.marks = view.marks;
  const bool same = may_share_fetch(seen, static_cast<std::uint64_t>(flight.counter), view,
                                    static_cast<std::uint64_t>(reader.counter));
  if (!same && !without(Without::FlightState)) return false;
  reader = {.at = At::Flying, .replica = reader.replica, .floor = reader.floor, .flight = join};
  return true;
}

// The answer goes to memory, to those who wait and to Redis, in either order.
void Explorer::fetched_steps(const World& world, std::size_t i) {
  const auto& reader = world.readers[i];
  const int me = static_cast<int>(i);
  if (reader.at == At::Found)
    step(world, {"read %d fills memory with what Redis had", me}, [&](World& next) {
      fill(next, reader, reader.value);
      next.readers[i] = {.at = At::Gone};
      return true;
    });
  if (reader.at == At::Fetched || reader.at == At::Stored)
    step(world, {"read %d fills memory and is served", me}, [&](World& next) { return land(next, i); });
  if (reader.at == At::Storing || (reader.at == At::Fetched && may_store(reader.view)))
    if (takes_scripts(world, reader.replica))
      step(world, {"read %d stores", me}, [&](World& next) {
        store(next, reader);
        if (reader.at == At::Fetched)
          next.readers[i].at = At::Stored;
        else
          next.readers[i] = {.at = At::Gone};
        return true;
      });
}

void Explorer::store(World& world, const Reader& reader) const {
  auto& server = Explorer::server(world, reader.replica).change();
  auto stamp = stamp_of(reader.view);
  if (without(Without::Capture))
    stamp.generations = server.ledger.look_up(keys_, run_id(server), world.now, ids(world)).generations;
  server.entry = RedisEntry{reader.value, std::move(stamp)};
}

bool Explorer::land(World& world, std::size_t i) {
  const auto mine = world.readers[i];
  if (may_store(mine.view)) fill(world, mine, mine.value);
  serve(mine, mine.value);
  for (auto& other : world.readers) {
    if (other.at != At::Flying || other.flight != static_cast<int>(i)) continue;
    serve(other, mine.value);
    other = {.at = At::Gone};
  }
  if (mine.at == At::Fetched && may_store(mine.view))
    world.readers[i] = {.at = At::Storing, .replica = mine.replica, .value = mine.value, .view = mine.view};
  else
    world.readers[i] = {.at = At::Gone};
  return true;
}

}  // namespace model
