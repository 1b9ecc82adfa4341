// The flows of this replica: takes runs from the queue that all replicas share, up to so many at a time, keeps hold of
// them, claims those of replicas that died, wakes those that are due, and starts those of the clock. Needs Redis; while
// that is away nothing is taken, and events are refused. Made before the Asio thread runs; everything else on it, but
// what is said to be for any thread.
#pragma once

#include <asio/awaitable.hpp>
#include <asio/io_context.hpp>
#include <memory>
#include <string>

#include "gateway/admin/admin.h"
#include "gateway/exchange/calls.h"
#include "gateway/exchange/own_paths.h"
#include "gateway/flows/flow_files.h"
#include "gateway/flows/runner.h"
#include "gateway/flows/starts.h"
#include "gateway/flows/store.h"
#include "gateway/metrics/metrics.h"
#include "gateway/redis/client.h"
#include "gateway/webhooks/intake.h"

namespace gateway::flows {

struct EngineParts {
  asio::io_context& io;
  const exchange::Calls& calls;
  redis::Client& redis;
  redis::Options reader;  // for a connection of its own
  metrics::Metrics& metrics;
  std::shared_ptr<const Flows> flows;
  std::chrono::milliseconds upstream_timeout;
  std::string replica;         // unique among the replicas
  std::size_t most_runs = 32;  // under way at a time; each holds its event and its answers, 1 MiB each at most
};

class Engine {
 public:
  explicit Engine(EngineParts parts);
  ~Engine();
  Engine(const Engine&) = delete;
  Engine& operator=(const Engine&) = delete;

  // Before start(): how events reach it, and how an operator does.
  void listen(webhooks::Intake& webhooks, exchange::OwnPaths& own_paths);
  void add_to(admin::Admin& admin);

  void start();
  // Takes no more, lets the steps under way end for so long, and lets go of the rest: another replica claims it. No
  // coroutine of the engine's own is left then; a run that still waits inside Calls touches nothing of it again.
  asio::awaitable<void> stop(std::chrono::milliseconds limit);

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace gateway::flows
