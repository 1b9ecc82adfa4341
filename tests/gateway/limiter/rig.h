// Limiters on one io_context, over either store, and a stand-in for the upstream that keeps its own books.
#pragma once

#include <algorithm>
#include <asio/detached.hpp>
#include <map>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "gateway/limiter/limiter.h"
#include "gateway/limiter/store.h"
#include "tests/gateway/redis/harness.h"

namespace limiter_test {

using namespace redis_test;
using gateway::limiter::Limiter;
using gateway::limiter::Permit;
using gateway::limiter::PermitOrRefusal;
using gateway::limiter::PermitRequest;
using gateway::limiter::Refusal;
using gateway::limiter::RefusalReason;
using policies::Duration;
using policies::Instant;
using LimiterOptions = gateway::limiter::Options;

enum class Backend { Process, Redis };

// One Redis for all cases, flushed for each.
inline RedisServer& shared_redis() {
  static RedisServer server;
  return server;
}

struct Rig {
  explicit Rig(Backend backend, LimiterOptions given = {}, int replicas = 1, RedisServer* server = nullptr) {
    if (backend == Backend::Redis && !server) {
      server = &shared_redis();
      server->command({"FLUSHALL"});
    }
    for (int i = 0; i < replicas; ++i) {
      Client* redis = nullptr;
      if (backend == Backend::Redis) {
        auto redis_options = redis_test::options(server->url());
        redis_options.timeout = 200ms;
        redis = clients.emplace_back(std::make_unique<Client>(io, redis_options)).get();
        redis->start();
      }
      limiters.push_back(std::make_unique<Limiter>(io, given, redis));
      limiters.back()->start();
    }
    for (auto& client : clients) run(io, [&]() -> asio::awaitable<void> { CHECK(co_await client->connected(10s)); });
  }
  ~Rig() {
    limiters.clear();
    for (auto& client : clients) client->stop();
  }
  Limiter& operator*() { return *limiters.front(); }

  asio::io_context io;
  std::vector<std::unique_ptr<Client>> clients;
  std::vector<std::unique_ptr<Limiter>> limiters;
};

// When requests reached the upstream: at a random moment between permit and end.
struct Books {
  std::vector<Instant> arrivals;
  Duration slot_time{0};

  std::size_t most_in(Duration interval) const {
    auto sorted = arrivals;
    std::sort(sorted.begin(), sorted.end());
    std::size_t most = 0, first = 0;
    for (std::size_t last = 0; last < sorted.size(); ++last) {
      while (sorted[last] - sorted[first] >= interval) ++first;
      most = std::max(most, last - first + 1);
    }
    return most;
  }
};

inline std::optional<RefusalReason> refused(const PermitOrRefusal& outcome) {
  const auto* refusal = std::get_if<Refusal>(&outcome);
  return refusal ? std::optional(refusal->reason) : std::nullopt;
}

inline constexpr Backend kBackends[] = {Backend::Process, Backend::Redis};

// Asks in the background and notes in `served` when it has its outcome; permits end at once.
inline void ask(Rig& rig, PermitRequest request, int name, std::vector<int>& served,
                std::vector<PermitOrRefusal>* outcomes = nullptr) {
  asio::co_spawn(
      rig.io,
      [&rig, request, name, &served, outcomes]() -> asio::awaitable<void> {
        auto outcome = co_await (*rig).acquire(request);
        served.push_back(name);
        if (outcomes) outcomes->push_back(std::move(outcome));
      },
      asio::detached);
}

}  // namespace limiter_test
