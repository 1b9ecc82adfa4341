#include "tests/end_to_end/history/history.h"

#include <random>
#include <thread>

namespace history {

void History::run(const std::function<void()>& fault) {
  std::vector<std::thread> threads;
  for (int c = 0; c < kContacts; ++c) threads.emplace_back([this, c] { write(c); });
  for (int r = 0; r < options_.readers; ++r) threads.emplace_back([this, r] { read(r); });
  try {
    for (int round = 0; going() && (done_ < options_.operations || round < options_.rounds); ++round) fault();
  } catch (...) {
    end();
    for (auto& thread : threads) thread.join();
    throw;
  }
  end();
  for (auto& thread : threads) thread.join();
}

void History::go_on(int milliseconds_, const std::function<bool()>& enough) const {
  eventually(milliseconds(milliseconds_), [&] { return !going() || enough(); });
}

void History::write(int contact) {
  const auto c = static_cast<std::size_t>(contact);
  std::mt19937 random(static_cast<unsigned>(contact));
  Door door(cluster_);
  HttpClient upstream(cluster_.simulator.address());
  const HttpFields own{{"Authorization", "Bearer simulator-token"}, {"Version", "2021-07-28"}};
  for (std::int64_t version = 1; going(); ++version) {
    eventually(milliseconds(60'000), [&] { return !writes_held_ || !going(); });
    HttpResponse response;
    try {
      response = door.send(static_cast<int>(random() % kReplicas), put_of(contact, version));
    } catch (const HttpError&) {
    }
    ++done_;
    if (response.status == 200) {
      const bool unfenced = response.field("Cache-Status").find("unfenced") != std::string::npos;
      ++(unfenced ? tally.unfenced_writes : tally.writes);
      {
        std::lock_guard lock(tally.mutex);
        writes_[c].push_back({version, unfenced});
      }
      answered_[c] = version;
      const int seen =
          tally.reads;  // some reads between two writes, so that there is something in the caches to be stale
      eventually(
          milliseconds(200), [&] { return tally.reads >= seen + 20 || !going(); }, milliseconds(1));
      continue;
    }
    // Nobody knows whether it was applied. The next write must not meet it under way: upstream answers within 2 ms, so
    // what it does not show soon was never sent.
    ++tally.unknown_writes;
    eventually(milliseconds(50), [&] { return version_in(upstream.get(target_of(contact), own).body) >= version; });
  }
}

void History::read(int reader) {
  std::mt19937 random(static_cast<unsigned>(reader + 100));
  Door door(cluster_);
  while (going()) {
    const int contact = static_cast<int>(random() % kContacts);
    const int replica = static_cast<int>(random() % kReplicas);
    const std::int64_t floor = answered_[static_cast<std::size_t>(contact)];
    ++done_;
    try {
      const auto response = door.send(replica, {.target = target_of(contact)});
      judge(contact, replica, floor, response);
    } catch (const HttpError& error) {
      ++tally.failed_reads;
      std::lock_guard lock(tally.mutex);
      tally.failure = error.what();
    }
  }
}

void History::judge(int contact, int replica, std::int64_t floor, const HttpResponse& response) {
  if (response.status != 200) {
    ++tally.failed_reads;
    std::lock_guard lock(tally.mutex);
    tally.failure = std::to_string(response.status) + " " + response.body;
    return;
  }
  ++tally.reads;
  if (response.field("Cache-Status").find("; hit") != std::string::npos) ++tally.hits;
  const auto version = version_in(response.body);
  if (version >= floor) return;
  std::lock_guard lock(tally.mutex);
  if (all_unfenced(contact, version, floor)) {
    ++tally.unfenced_violations;
    return;
  }
  ++tally.violations;
  if (tally.first_violation.empty())
    tally.first_violation = "replica " + std::to_string(replica) + " answered v" + std::to_string(version) +
                            " of contact " + std::to_string(contact) + " after v" + std::to_string(floor) +
                            " was answered; " + response.field("Cache-Status");
}

// A fenced write among those missed would have made stale whatever was there before it.
bool History::all_unfenced(int contact, std::int64_t after, std::int64_t to) {
  for (const auto& write : writes_[static_cast<std::size_t>(contact)])
    if (write.version > after && write.version <= to && !write.unfenced) return false;
  return true;
}

}  // namespace history
