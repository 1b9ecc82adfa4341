// What is said of a finished request: its metrics, its one log line and, where it is traced, its span. Any thread.
#pragma once

#include <atomic>
#include <chrono>
#include <string_view>

#include "gateway/access/client_names.h"
#include "gateway/config/settings.h"
#include "gateway/metrics/metrics.h"
#include "gateway/tracing/trace.h"
#include "policies/catalogue.h"

namespace gateway::exchange {

struct Finished {
  const policies::Operation* operation = nullptr;  // null: outside the catalogue
  std::string_view method{};
  int status = 0;  // 499: the client left before its answer
  std::uint16_t client = 0;
  std::string_view location{};
  std::string_view id{};
  metrics::CacheResult result = metrics::CacheResult::Bypass;
  metrics::Tier tier = metrics::Tier::None;
  std::string_view refusal{};  // why the gateway answered for itself
  std::chrono::steady_clock::time_point started{};
  std::chrono::milliseconds waited{0};
  const tracing::Trace* trace = nullptr;  // null: not traced
};

class Reporter {
 public:
  Reporter(metrics::Metrics& metrics, const access::ClientNames& names, const config::Settings& settings);
  void reload(const config::Settings& settings);  // which requests get a line
  void finished(const Finished& request) const;
  void invalidated(std::string_view cause) const;  // Metrics::invalidation

 private:
  void log(const Finished& request, std::chrono::steady_clock::duration duration) const;
  void trace(const Finished& request) const;

  metrics::Metrics& metrics_;
  const access::ClientNames& names_;
  std::atomic<bool> log_all_{true};
  std::atomic<bool> log_errors_{true};
};

}  // namespace gateway::exchange
