// Who of those that wait for a permit gets the next one (README, "Rate limits").
// Urgency is RFC 9218's 0 (best) to 7, one step better for each `ageing_step` waited; equal urgency goes round-robin
// over clients; one client's requests of equal urgency go first in, first out. Ageing makes a request the equal of the
// best one that waits, never its better: a long backlog that has aged takes turns with a fresh request instead of going
// first. The queue is bounded. When it is full, a newcomer takes the place of the last request of the client that has
// the most (of its own last one, if that is less urgent): one client's backlog never locks the others out.
//
// State machine without a clock; owned by one thread. Operations are O(log n), except ahead(): O(clients).
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <set>
#include <tuple>
#include <unordered_map>
#include <utility>
#include <vector>

#include "policies/instant.h"

namespace policies {

inline constexpr int kUrgencies = 8;
inline constexpr int kDefaultUrgency = 3;  // RFC 9218 section 4.1

struct Waiter {
  std::uint64_t id = 0;
  std::uint32_t client = 0;
  int urgency = kDefaultUrgency;  // clamped to 0..7
  Instant since{0};
};

class FairQueue {
 public:
  using Id = std::uint64_t;

  struct Options {
    std::size_t most = 1'000;
    Duration ageing_step{5'000'000};
  };
  explicit FairQueue(Options options) : options_(options) {}

  void set_most(std::size_t most) { options_.most = most; }  // those who wait beyond it stay

  struct Joined {
    bool queued = false;          // false: full, and nobody had to make room
    std::optional<Id> displaced;  // who made room; already removed
  };
  Joined join(Waiter waiter, Instant now);
  bool leave(Id id);  // false: not waiting

  // Another request joined the one that waits (single flight): it now has the better urgency of both.
  void improve(Id id, int urgency, Instant now);

  std::optional<Waiter> pop(Instant now);        // the next to be served
  std::vector<Waiter> take_beyond(int urgency);  // removes those who asked for a lesser urgency than that

  // How many of those who wait now are served before a newcomer: a lower bound.
  std::size_t ahead(std::uint32_t client, int urgency, Instant now);
  std::size_t size() const { return entries_.size(); }
  std::size_t waiting(int urgency) const;  // those who asked for this urgency or a better one
  bool empty() const { return entries_.empty(); }

 private:
  using Place = std::tuple<int, std::uint64_t, Id>;  // urgency by now, arrival, id: the order within a client
  struct Entry {
    Waiter waiter;
    int urgency = 0;  // aged
    std::uint64_t arrival = 0;
  };
  struct Client {
    std::set<Place> order;
    std::uint64_t turn = 0;  // the client with the lowest is next among equals
    std::array<std::uint32_t, kUrgencies> asked{}, aged{};
  };

  void age(Instant now);
  int urgency_at(const Waiter& waiter, Instant now) const;
  Instant next_step(const Entry& entry) const;
  void insert(const Entry& entry);
  void erase(const Entry& entry);
  void rank(std::uint32_t id, const Client& client);
  void unrank(std::uint32_t id, const Client& client);
  std::optional<Id> last_to_displace(const Waiter& newcomer, int urgency) const;

  Options options_;
  std::uint64_t arrivals_ = 0, turns_ = 0;
  std::unordered_map<Id, Entry> entries_;
  std::unordered_map<std::uint32_t, Client> clients_;  // those with at least one request
  // Clients by best urgency, then turn.
  std::array<std::set<std::pair<std::uint64_t, std::uint32_t>>, kUrgencies> ring_;
  std::set<std::pair<std::size_t, std::uint32_t>> backlog_;  // clients by how many wait
  std::array<std::size_t, kUrgencies> asked_{};              // requests by urgency asked for
  std::set<std::pair<Instant, Id>> steps_;                   // when each of them ages next
};

}  // namespace policies
