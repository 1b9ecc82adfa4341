// Which states are the same: those that differ only in absolute time, in which random ids they drew, and in which of
// two replicas, reads or writes is called the first. Everything that a step may look at is in the bytes, so that states
// with the same bytes have the same future.
#include <algorithm>
#include <array>
#include <string_view>

#include "tests/model/explorer.h"

namespace model {

namespace {
// Who is called what: `of[place]` is the one in that place, `place[who]` the place of one.
struct Order {
  std::array<std::size_t, 2> of{0, 1}, place{0, 1};
};
constexpr Order kAsIs{}, kSwapped{{1, 0}, {1, 0}};

// An epoch that is over comes back only with an older copy that is believed to be the same server.
bool epochs_return(const Bounds& bounds) { return bounds.without == Without::RunId && bounds.rollbacks > 0; }

class Bytes {
 public:
  Bytes(const World& world, const Bounds& bounds, Order replicas, Order writers, Order readers)
      : world_(world), bounds_(bounds), replicas_(replicas), writers_(writers), readers_(readers) {}

  void all() {
    number(world_.version), number(world_.answered), number(world_.run_ids), number(world_.stands_still);
    for (const auto* server : {&world_.redis, &world_.copy, &world_.deposed}) describe(*server);
    for (auto who : replicas_.of) describe(world_.replicas[who]), acknowledged(who);
    for (auto who : writers_.of) describe(world_.writers[who]);
    for (auto who : readers_.of) describe(world_.readers[who]);
    for (int left : {world_.restarts, world_.rollbacks, world_.crashes, world_.evictions, world_.standstills,
                     world_.seconds, world_.reports})
      number(left);
  }
  std::string_view text() const { return {bytes_.data(), size_}; }

  // As Ledger, Write and PlainLookUp tell of themselves.
  template <typename Number>
  void number(Number n) {
    bytes_.at(size_++) = static_cast<char>(n);
  }
  void id(std::uint64_t id) {
    if (id == 0) return number(0);
    const auto end = names_.begin() + named_;
    const auto found = std::find(names_.begin(), end, id);
    if (found == end) names_.at(static_cast<std::size_t>(named_++)) = id;
    number(found - names_.begin() + 1);
  }
  void word(std::string_view w) {
    number(w.size());
    for (char c : w) number(c);
  }
  // An epoch that is no server's any more is as good as none.
  void epoch(Epoch e) {
    if (e != 0 && alive(e)) return id(e);
    number(0);
  }
  // A time that is over is over; one that the rest of the seconds cannot reach is not reached.
  void until(milliseconds t) { number(std::clamp<long long>((t - world_.now) / kTick, 0, world_.seconds + 1)); }
  void since(milliseconds t, milliseconds most) { until(t + most); }
  void lease(std::string_view id, milliseconds ends) {
    leases_[replicas_.place[id == kNames[1]]] =
        1 + std::clamp(static_cast<int>((ends - world_.now) / kTick), 0, world_.seconds + 1);
  }
  void mark(WriteId write, milliseconds until) {
    // A mark whose time is over is still seen by plain commands.
    marks_[place(write)] = 1 + std::clamp(static_cast<int>((until - world_.now) / kTick), 0, world_.seconds + 1);
  }
  void marks_end() {
    for (auto& until : marks_) number(std::exchange(until, 0));
  }
  void logged(Position position, milliseconds at) {
    if (position <= known_to_all_) return;
    number(position), since(at, timing().grace + kTick);
  }
  void awaits(Epoch e, Position position, const std::vector<std::string>& whom, milliseconds most, milliseconds least) {
    waits_for(whom);
    if (!whom.empty()) epoch(e), number(position);
    until(most), until(least);
  }

 private:
  void describe(const Shared<Server>& server) {
    number(static_cast<bool>(server));
    if (!server) return;
    number(server->run_id), number(server->read_only), number(server->entry.has_value());
    if (server->entry) describe(server->entry->value, server->entry->stamp);
    known_to_all_ = known_to_all(server->ledger.plain_epoch().epoch);
    server->ledger.describe(*this);
    number(0xff);
    for (auto& lease : leases_) number(std::exchange(lease, 0));
  }
  bool alive(Epoch e) const {
    if (epochs_return(bounds_)) return true;
    return e == world_.redis->ledger.plain_epoch().epoch ||
           (world_.deposed && e == world_.deposed->ledger.plain_epoch().epoch);
  }
  // What all that follow this log have, nobody asks for again.
  Position known_to_all(Epoch e) const {
    Position least = epochs_return(bounds_) ? 0 : ~Position{};
    for (const auto& replica : world_.replicas) {
      const auto report = replica.follower.report();
      if (report.epoch == e) least = std::min(least, report.position);
      if (replica.reply && replica.reply->reported.epoch == e) least = std::min(least, replica.reply->reported.end);
    }
    return least;
  }
  std::size_t place(WriteId write) const { return bounds_.without == Without::MarkSet ? 0 : writers_.place[write - 1]; }
  void waits_for(const std::vector<std::string>& whom) {
    int set = 0;
    for (const auto& id : whom) set |= 1 << replicas_.place[id == kNames[1]];
    number(set);
  }
  void describe(int value, const Stamp& stamp) {
    number(value), id(stamp.epoch);
    for (auto generation : stamp.generations) id(generation);
  }
  void describe(const ReplicaState& replica) {
    const auto report = replica.follower.report();
    const auto usable = replica.follower.usable_until(timing());
    const bool follows = alive(report.epoch) || (replica.reply && replica.reply->reported.epoch == report.epoch) ||
                         std::any_of(replica.notices.begin(), replica.notices.end(),
                                     [&](const auto& notice) { return notice.first == report.epoch; });
    number(follows);
    if (follows) id(report.epoch), number(report.position);
    number(usable.count() != 0), until(usable), until(replica.usable_until);
    const bool live = replica.memory.full && replica.memory.counter == replica.counter;
    number(live ? replica.memory.value : 0xff), number(replica.at_deposed);
    number(replica.notices.size());
    for (const auto& [epoch, position] : replica.notices) id(epoch), number(position);
    number(replica.reply.has_value());
    if (replica.reply) describe(*replica.reply);
  }
  void describe(const ReplicaState::Reply& reply) {
    const auto& reported = reply.reported;
    id(reported.epoch), number(reported.renewed), number(reported.cut), number(reported.end);
    number(reported.missed.size());
    for (const auto& missed : reported.missed) number(missed.position);
    since(reply.sent_at, timing().use);
  }
  // It matters to a write that has yet to learn what it waits for, and later ones have later positions.
  void acknowledged(std::size_t who) {
    const auto& report = world_.acknowledged[who];
    if (epochs_return(bounds_)) id(report.epoch), number(report.position);
    for (auto writer : writers_.of) {
      const auto& begun = world_.writers[writer].begun;
      number(begun.epoch != 0 && begun.epoch == report.epoch && begun.position <= report.position);
    }
  }
  void describe(const Writer& writer) {
    number(static_cast<int>(writer.at));
    if (writer.at == Writer::At::Idle || writer.at == Writer::At::Gone) return;
    number(replicas_.place[static_cast<std::size_t>(writer.replica)]), number(writer.version);
    number(writer.fenced), number(writer.again), until(writer.late_until);
    if (writer.at == Writer::At::InFlight) since(writer.sent, timing().upstream);
    writer.write.describe(*this);
    if (writer.at == Writer::At::Begun) describe(writer.begun);
  }
  void describe(const Write::Begun& begun) {
    waits_for(begun.live), epoch(begun.epoch), number(begun.position);
    until(world_.now + timing().lease - begun.epoch_age);
  }
  void describe(const Reader& reader) {
    number(static_cast<int>(reader.at));
    if (reader.at == Reader::At::Idle || reader.at == Reader::At::Gone) return;
    const auto replica = static_cast<std::size_t>(reader.replica);
    number(replicas_.place[replica]), number(reader.floor), number(reader.value), counter(replica, reader.counter);
    number(reader.flight < 0 ? 2 : readers_.place[static_cast<std::size_t>(reader.flight)]);
    if (reader.at == Reader::At::Plain) number(reader.plain_steps), reader.plain.describe(*this);
    describe(reader.view);
  }
  void describe(const View& view) {
    number(view.generations.size()), id(view.epoch);
    for (auto generation : view.generations) id(generation);
    int marks = 0;
    for (auto write : view.marks) marks |= 1 << place(write);
    number(marks);
  }
  // Only whether counters are equal says anything.
  void counter(std::size_t replica, int value) {
    if (value == world_.replicas[replica].counter) return number(0);
    const auto& other = world_.readers[0];
    number(other.replica == static_cast<int>(replica) && other.counter == value &&
                   world_.readers[1].replica == other.replica && world_.readers[1].counter == value
               ? 1
               : 2);
  }

  const World& world_;
  const Bounds& bounds_;
  const Order replicas_, writers_, readers_;
  std::array<char, 512> bytes_;
  std::size_t size_ = 0;
  std::array<std::uint64_t, 32> names_;
  std::ptrdiff_t named_ = 0;
  std::array<int, kReplicas> leases_{};
  std::array<int, kMostWriters> marks_{};
  Position known_to_all_ = 0;
};

// What tells two of a kind apart whatever the others are called; where it does not, both orders are tried.
auto sight(const World& world, const ReplicaState& replica) {
  const bool live = replica.memory.full && replica.memory.counter == replica.counter;
  return std::array{static_cast<int>(std::max(replica.usable_until - world.now, milliseconds(0)).count()),
                    live ? replica.memory.value : -1, static_cast<int>(replica.follower.report().position),
                    static_cast<int>(replica.notices.size()), static_cast<int>(replica.reply.has_value())};
}
auto sight(const World&, const Writer& writer) { return std::array{static_cast<int>(writer.at), writer.version}; }
auto sight(const World&, const Reader& reader) {
  return std::array{static_cast<int>(reader.at), reader.floor, reader.value, reader.plain_steps};
}

struct Orders {
  std::array<Order, 2> orders{kAsIs, kSwapped};
  std::size_t first = 0, last = 2;
};
template <typename All>
Orders orders_of(const World& world, const All& all, bool alike = true) {
  const auto one = sight(world, all[0]), other = sight(world, all[1]);
  if (!alike || one < other) return {.last = 1};
  if (other < one) return {.first = 1};
  return {};
}
}  // namespace

// A reply that can tell nothing new, a log message that comes too late, an entry that no lookup can find any more.
void normalise(World& world, const Bounds& bounds) {
  if (!epochs_return(bounds))
    for (auto& replica : world.replicas) {
      const auto mine = replica.follower.report();
      const auto dead = [&](const std::pair<Epoch, Position>& notice) {
        const bool next = notice.first == mine.epoch && notice.second > mine.position;
        const bool joins = replica.reply && notice.first == replica.reply->reported.epoch &&
                           notice.second > replica.reply->reported.end;
        return !next && !joins;
      };
      std::erase_if(replica.notices, dead);
      if (!replica.reply) continue;
      const auto& [reported, sent_at] = *replica.reply;
      if (reported.epoch == mine.epoch && !reported.cut && reported.missed.empty() &&
          (!reported.renewed || sent_at + timing().use <= replica.usable_until) &&
          replica.usable_until == replica.follower.usable_until(timing()))
        replica.reply.reset();
    }
  const bool may_be_found = std::any_of(world.readers.begin(), world.readers.end(),
                                        [](const Reader& reader) { return reader.at == Reader::At::Plain; }) ||
                            bounds.without >= Without::PlainEpoch || !world.redis->entry;
  if (may_be_found) return;
  const auto& stamp = world.redis->entry->stamp;
  bool holds = stamp.epoch == world.redis->ledger.plain_epoch().epoch;
  for (int key = 0; key < bounds.keys; ++key)
    holds &= stamp.generations[static_cast<std::size_t>(key)] ==
             world.redis->ledger.plain_key("k" + std::to_string(key)).generation;
  if (!holds) world.redis.change().entry.reset();
}

policies::Hash128 canonical(const World& world, const Bounds& bounds) {
  const auto replicas = orders_of(world, world.replicas), readers = orders_of(world, world.readers),
             writers = orders_of(world, world.writers, bounds.keys == 1);
  std::optional<Bytes> least;
  for (auto r = replicas.first; r < replicas.last; ++r)
    for (auto w = writers.first; w < writers.last; ++w)
      for (auto d = readers.first; d < readers.last; ++d) {
        Bytes bytes(world, bounds, replicas.orders[r], writers.orders[w], readers.orders[d]);
        bytes.all();
        if (!least || bytes.text() < least->text()) least.emplace(bytes);
      }
  return policies::hash128(least->text());
}

}  // namespace model
