// What starts runs: webhook events, leads, the clock. An event is matched with the flows here, its runs are in Redis
// before it is acknowledged, and a repeat of it is known by its id. Asio thread only, but take_lead().
#pragma once

#include <asio/awaitable.hpp>
#include <asio/io_context.hpp>
#include <map>
#include <memory>
#include <string>

#include "gateway/exchange/own_paths.h"
#include "gateway/flows/flow_files.h"
#include "gateway/flows/store.h"
#include "gateway/webhooks/intake.h"

namespace gateway::flows {

inline constexpr std::size_t kLargestLead = 1 << 20;

class Starts {
 public:
  Starts(asio::io_context& io, Store& store, std::shared_ptr<const Flows> flows)
      : io_(io), store_(store), flows_(std::move(flows)) {}

  // A listener of webhooks::Intake.
  asio::awaitable<bool> on_webhook(std::shared_ptr<const webhooks::Received> received);

  // `POST /gateway/leads/{source}`: 202 {"event":ID,"runs":[…]} when its runs are in Redis. 400 no JSON object, 404 no
  // flow listens to that source, 413 over 1 MiB, 422 an Idempotency-Key of another lead, 503 Redis is away. On the
  // connection's worker.
  void take_lead(std::shared_ptr<exchange::OwnRequest> request);

  // Once a second: queues the runs of the flows by the clock whose slot has begun.
  asio::awaitable<void> tick();

 private:
  struct Lead;
  asio::awaitable<void> keep_lead(std::shared_ptr<exchange::OwnRequest> request, std::shared_ptr<const Lead> lead);

  asio::io_context& io_;
  Store& store_;
  std::shared_ptr<const Flows> flows_;
  std::map<std::string, policies::WallMillis> slots_;  // whose run is known to be queued
};

}  // namespace gateway::flows
