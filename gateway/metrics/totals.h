// Everything counted since the start, added up over threads: for who wants numbers and not Prometheus' text (the status
// page). Values only; differences of two of them are what happened between.
#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "gateway/metrics/counts.h"

namespace gateway::metrics {

// A histogram as numbers, over `bounds`.
struct Distribution {
  std::array<std::uint64_t, Histogram::kMostBounds + 1> buckets{};
  std::uint64_t count = 0;

  void add(const Histogram& histogram, Bounds bounds);
  void add(const Distribution& other);
  void subtract(const Distribution& earlier);
  // Interpolated within its bucket, as Prometheus' histogram_quantile does; nothing where nothing was counted, the last
  // bound where it lies above.
  std::optional<std::chrono::nanoseconds> quantile(double q, Bounds bounds) const;
};

struct OperationTotals {
  std::uint64_t requests = 0;
  std::uint64_t errors = 0;                // answers of 500 and above
  std::array<std::uint64_t, 6> results{};  // by CacheResult
  Distribution duration;
};

struct Totals {
  std::uint64_t requests = 0, client_errors = 0, limited = 0, server_errors = 0;  // 4xx but 429; 429; 5xx
  std::array<std::uint64_t, 6> results{};                                         // by CacheResult, catalogue only
  std::uint64_t upstream = 0, upstream_failed = 0, upstream_limited = 0;          // 5xx or no answer; 429
  std::uint64_t saved = 0, unfenced = 0;
  Distribution duration, upstream_duration, wait;
  std::map<std::string, std::uint64_t> rejections, retries, refreshes;  // by reason, reason, result
  std::map<std::string, std::uint64_t> flows, webhooks;                 // by result
  std::vector<OperationTotals> operations;                              // by index; the last one is "other"

  // What was counted between `earlier` and this. Where one of them has no `operations`, neither has the result.
  Totals since(const Totals& earlier) const;
};

}  // namespace gateway::metrics
