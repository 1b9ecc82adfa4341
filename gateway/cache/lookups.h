// Reads of one key that come together share their lookups, so that a thousand of them are not a thousand scripts in
// Redis that hold each other up. A read may be answered only by a lookup that was sent after the read began (the
// contract's sentence), so those that come while one is under way share the next one. What all of it costs a read is
// bounded as one lookup is: time spent waiting is taken off the limit of the next, and where Redis did not answer the
// one under way, those who wait for the next are told the same at once. Asio thread only.
#pragma once

#include <asio/awaitable.hpp>
#include <asio/io_context.hpp>
#include <asio/steady_timer.hpp>
#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "gateway/cache/shared_tier.h"

namespace gateway::cache {

class Lookups {
 public:
  // One round trip to Redis within `limit`.
  using Ask = std::function<asio::awaitable<Found>(std::string key, std::vector<std::string> surrogate_keys,
                                                   std::chrono::milliseconds limit)>;
  Lookups(asio::io_context& io, std::chrono::milliseconds limit, Ask ask)
      : io_(io), limit_(limit), ask_(std::move(ask)) {}

  // `claimed` is true for one of those who share a lookup, and that one has it first.
  asio::awaitable<Found> look_up(std::string key, std::vector<std::string> surrogate_keys);

  // For who looks up without waiting for others: the right to send now; null while a lookup of the key is under way.
  // The lookup is over when it is dropped; what it found is set before.
  struct Turn;
  std::shared_ptr<Turn> turn(const std::string& key);
  static void found(Turn& turn, const Found& found);
  std::chrono::milliseconds limit(const Turn& turn) const;  // what is left of it for those who waited

 private:
  struct Batch {
    explicit Batch(asio::io_context& io) : changed(io, asio::steady_timer::time_point::max()) {}
    enum class State : std::uint8_t { Waiting, Sent, Answered, Lost } state = State::Waiting;
    asio::steady_timer changed;
    asio::steady_timer::time_point began = asio::steady_timer::clock_type::now();
    std::optional<Found> found;
  };
  using BatchPtr = std::shared_ptr<Batch>;
  struct Slot {
    bool busy = false;
    BatchPtr next;
  };
  bool free(const std::string& key) const;
  asio::awaitable<Found> send(std::string key, std::vector<std::string> surrogate_keys);

  asio::io_context& io_;
  std::chrono::milliseconds limit_;
  Ask ask_;
  std::unordered_map<std::string, Slot> slots_;  // keys whose lookup is under way
};

}  // namespace gateway::cache
