// What one thread has counted. Written by that thread alone, read by the scraping thread at any time; made when a
// thread first counts something, and handed to the next thread when that one ends, so that no count is lost.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <vector>

#include "gateway/metrics/counts.h"
#include "gateway/metrics/metrics.h"

namespace gateway::metrics {

inline constexpr std::size_t kResults = 6, kTiers = 3, kUrgencies = 8;

// Which method a label names; those outside the list are "other".
inline constexpr std::array<std::string_view, 10> kMethods = {"GET",    "HEAD",    "POST",    "PUT",   "PATCH",
                                                              "DELETE", "OPTIONS", "CONNECT", "TRACE", "other"};

struct RequestKey {
  std::uint16_t operation = 0;  // dense index; the number of operations stands for "other"
  std::uint8_t method = 0;
  std::uint16_t status = 0;
  std::uint16_t client = 0;

  std::uint64_t packed() const {
    return std::uint64_t{operation} << 48 | std::uint64_t{client} << 32 | std::uint64_t{status} << 8 | method;
  }
  static RequestKey unpack(std::uint64_t key) {
    return {static_cast<std::uint16_t>(key >> 48), static_cast<std::uint8_t>(key & 0xff),
            static_cast<std::uint16_t>(key >> 8 & 0xffff), static_cast<std::uint16_t>(key >> 32 & 0xffff)};
  }
};
inline constexpr std::uint16_t kOtherClient = 0xffff;

struct Shard {
  // `operations`: the catalogue's and one more, for "other".
  Shard(std::size_t operations, std::size_t request_slots)
      : requests(request_slots),
        upstream(1024),
        durations(operations * kResults),
        cache(operations * kResults * kTiers),
        upstream_durations(operations) {}

  CountTable requests;  // by RequestKey
  CountTable upstream;  // by operation << 16 | code
  std::vector<Histogram> durations;
  std::vector<Count> cache;
  std::vector<Histogram> upstream_durations;
  std::array<Histogram, kUrgencies> waits;
  Named<Count, 16> retries, invalidations, unreadable_entries, rejections, refreshes, keys;
  Named<Count, 64> flows;
  Named<Count, 256> webhooks;  // 58 types by what became of them
  Named<Histogram, 24> redis;
  Count saved, unfenced;

  std::atomic<bool> in_use{true};
};

}  // namespace gateway::metrics
