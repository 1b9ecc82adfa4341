// What answers on the public address: the exchange and all it needs (cache, limiter, upstream, Redis). Made before the
// servers, ended after them. It registers its gauges, readiness checks and admin routes itself.
#pragma once

#include <atomic>
#include <memory>

#include "gateway/admin/admin.h"
#include "gateway/config/settings.h"
#include "gateway/exchange/state.h"
#include "gateway/metrics/metrics.h"
#include "gateway/server/server.h"

namespace gateway::exchange {

class Service {
 public:
  // `metrics` and `admin` outlive it. Throws std::runtime_error, in words for an operator, when it cannot start.
  Service(std::shared_ptr<const config::Settings> settings, metrics::Metrics& metrics, admin::Admin& admin);
  ~Service();
  Service(const Service&) = delete;
  Service& operator=(const Service&) = delete;

  // New settings, of which only what may change while running differs (lifecycle/live_settings.h). Requests under way
  // go on with the old ones. Throws std::runtime_error, changing nothing, when they cannot be taken. By one thread,
  // between start() and stop().
  void reload(std::shared_ptr<const config::Settings> settings);

  // While another process answers at the same address: without Redis it knows nothing of the writes here, nor this of
  // those there, and neither uses its memory (LocalTier::share). With Redis both are replicas and nothing changes.
  void share_memory(bool with_another_process);

  State state() const;                               // any thread
  const std::atomic<bool>& memory_is_short() const;  // over server.memory_limit; any thread

  server::HandlerFactory handlers();
  // What would go on for long (exports) stops, in a way that its clients can go on elsewhere. Before the public server
  // is drained; any thread.
  void end_streams();

  void start();  // its threads, before the public server accepts
  void stop();   // after the public server has drained

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace gateway::exchange
