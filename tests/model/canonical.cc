// Which states are the same.
#include <algorithm>
#include <unordered_map>

#include "tests/model/explorer.h"

namespace model {

namespace {
// The state as bytes, the same for states that differ only in which random ids they drew and in absolute time.
struct Canonical {
  std::string bytes;
  milliseconds now{0};
  std::unordered_map<std::uint64_t, int> names;
  void number(long long n) { bytes.append(std::to_string(n)).push_back(','); }
  void id(std::uint64_t id) {
    number(id == 0 ? 0 : names.emplace(id, static_cast<int>(names.size()) + 1).first->second);
  }
  void time(milliseconds t) { number(std::max<long long>((t - now).count(), -20'000)); }
  void word(const std::string& w) { bytes.append(w).push_back(';'); }
};

void describe(Canonical& sink, const std::optional<RedisEntry>& entry) {
  sink.number(entry.has_value());
  if (!entry) return;
  sink.number(entry->value), sink.id(entry->stamp.epoch);
  for (auto generation : entry->stamp.generations) sink.id(generation);
}

void describe(Canonical& sink, const ReplicaState& replica) {
  sink.id(replica.follower.report().epoch), sink.number(static_cast<long long>(replica.follower.report().position));
  sink.time(replica.follower.usable_until(timing())), sink.time(replica.usable_until);
  const bool live = replica.memory.full && replica.memory.counter == replica.counter;
  sink.number(live ? replica.memory.value : -1);
  for (const auto& [epoch, position] : replica.notices) sink.id(epoch), sink.number(static_cast<long long>(position));
  sink.number(replica.reply.has_value());
  if (replica.reply) {
    const auto& reported = replica.reply->reported;
    sink.id(reported.epoch), sink.number(reported.renewed), sink.number(reported.cut),
        sink.number(static_cast<long long>(reported.end));
    for (const auto& missed : reported.missed) sink.number(static_cast<long long>(missed.position));
    sink.time(replica.reply->sent_at);
  }
}

void describe(Canonical& sink, const Writer& writer) {
  sink.number(static_cast<int>(writer.at)), sink.number(writer.replica), sink.number(writer.version),
      sink.time(writer.sent);
  sink.number(static_cast<int>(writer.write.step())), sink.number(writer.write.applied()),
      sink.id(writer.write.began_in());
  sink.time(writer.write.await_until());
  for (const auto& replica : writer.write.waiting_for()) sink.word(replica);
  sink.id(writer.begun.epoch), sink.number(static_cast<long long>(writer.begun.position));
}

void describe(Canonical& sink, const Reader& reader, const ReplicaState& at) {
  sink.number(static_cast<int>(reader.at)), sink.number(reader.replica), sink.number(reader.floor),
      sink.number(reader.value);
  sink.number(reader.counter == at.counter), sink.number(reader.flight);
  sink.id(reader.view.epoch);
  for (auto generation : reader.view.generations) sink.id(generation);
  for (auto mark : reader.view.marks) sink.number(static_cast<long long>(mark));
}

}  // namespace

std::string canonical(const World& world) {
  Canonical sink;
  sink.now = world.now;
  sink.number(world.version), sink.number(world.answered), sink.number(world.run_id);
  world.redis.describe(sink);
  describe(sink, world.entry);
  sink.number(world.copy.has_value());
  if (world.copy) {
    world.copy->first.describe(sink);
    describe(sink, world.copy->second);
  }
  for (const auto& replica : world.replicas) describe(sink, replica);
  for (const auto& report : world.acknowledged)
    sink.id(report.epoch), sink.number(static_cast<long long>(report.position));
  for (const auto& writer : world.writers) describe(sink, writer);
  for (const auto& reader : world.readers)
    describe(sink, reader, world.replicas[static_cast<std::size_t>(reader.replica)]);
  for (int left : {world.restarts, world.rollbacks, world.crashes, world.evictions, world.seconds, world.reports})
    sink.number(left);
  return std::move(sink.bytes);
}

}  // namespace model
