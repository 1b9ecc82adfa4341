#include "gateway/metrics/totals.h"

#include <algorithm>

#include "gateway/metrics/collect.h"
#include "gateway/metrics/families.h"

namespace gateway::metrics {

namespace {

using Sums = std::map<std::string, std::uint64_t>;

void count_status(Totals& totals, int status, std::uint64_t count) {
  totals.requests += count;
  if (status >= 500)
    totals.server_errors += count;
  else if (status == 429)
    totals.limited += count;
  else if (status >= 400)
    totals.client_errors += count;
}

void count_upstream(Totals& totals, std::uint64_t code, std::uint64_t count) {
  totals.upstream += count;
  if (code == 0 || code >= 500) totals.upstream_failed += count;
  if (code == 429) totals.upstream_limited += count;
}

// By the last part of the cells' names: the reason, the result.
template <std::size_t kNames>
void add_named(Sums& sums, const Named<Count, kNames>& cells) {
  cells.each([&](std::string_view name, const Count& count) {
    const std::size_t cut = name.rfind(Named<Count, kNames>::kSeparator);
    if (count.get() > 0) sums[std::string(cut == std::string_view::npos ? name : name.substr(cut + 1))] += count.get();
  });
}

void add_shard(Totals& totals, const Shard& shard) {
  const std::size_t others = totals.operations.size() - 1;
  shard.requests.each([&](std::uint64_t packed, std::uint64_t count) {
    const RequestKey key = RequestKey::unpack(packed);
    auto& operation = totals.operations[std::min<std::size_t>(key.operation, others)];
    operation.requests += count;
    if (key.status >= 500) operation.errors += count;
    count_status(totals, key.status, count);
  });
  shard.upstream.each([&](std::uint64_t key, std::uint64_t count) { count_upstream(totals, key & 0xffff, count); });
  for (std::size_t cell = 0; cell < totals.operations.size() * kResults; ++cell)
    totals.operations[cell / kResults].duration.add(shard.durations[cell], request_bounds());
  for (std::size_t cell = 0; cell < totals.operations.size() * kResults * kTiers; ++cell)
    totals.operations[cell / kTiers / kResults].results[cell / kTiers % kResults] += shard.cache[cell].get();
  for (const auto& durations : shard.upstream_durations) totals.upstream_duration.add(durations, upstream_bounds());
  for (const auto& waits : shard.waits) totals.wait.add(waits, wait_bounds());
  totals.saved += shard.saved.get();
  totals.unfenced += shard.unfenced.get();
  add_named(totals.rejections, shard.rejections);
  add_named(totals.retries, shard.retries);
  add_named(totals.refreshes, shard.refreshes);
  add_named(totals.flows, shard.flows);
  add_named(totals.webhooks, shard.webhooks);
}

}  // namespace

void Distribution::add(const Histogram& histogram, Bounds bounds) {
  for (std::size_t i = 0; i <= bounds.size(); ++i) {
    const std::uint64_t n = histogram.bucket(i);
    buckets[i] += n;
    count += n;
  }
}

void Distribution::add(const Distribution& other) {
  for (std::size_t i = 0; i < buckets.size(); ++i) buckets[i] += other.buckets[i];
  count += other.count;
}

void Distribution::subtract(const Distribution& earlier) {
  for (std::size_t i = 0; i < buckets.size(); ++i) buckets[i] -= earlier.buckets[i];
  count -= earlier.count;
}

std::optional<std::chrono::nanoseconds> Distribution::quantile(double q, Bounds bounds) const {
  if (count == 0) return std::nullopt;
  const double rank = q * static_cast<double>(count);
  double below = 0;
  for (std::size_t i = 0; i < bounds.size(); ++i) {
    const double here = static_cast<double>(buckets[i]);
    if (here > 0 && below + here >= rank) {
      const double from = i == 0 ? 0 : static_cast<double>(bounds[i - 1].count());
      const double to = static_cast<double>(bounds[i].count());
      return std::chrono::nanoseconds(static_cast<std::int64_t>(from + (to - from) * (rank - below) / here));
    }
    below += here;
  }
  return bounds.back();
}

Totals Totals::since(const Totals& earlier) const {
  Totals between = *this;
  constexpr std::uint64_t Totals::*kCounts[] = {
      &Totals::requests,        &Totals::client_errors,    &Totals::limited, &Totals::server_errors, &Totals::upstream,
      &Totals::upstream_failed, &Totals::upstream_limited, &Totals::saved,   &Totals::unfenced};
  for (const auto count : kCounts) between.*count -= earlier.*count;
  for (std::size_t i = 0; i < results.size(); ++i) between.results[i] -= earlier.results[i];
  between.duration.subtract(earlier.duration);
  between.upstream_duration.subtract(earlier.upstream_duration);
  between.wait.subtract(earlier.wait);
  for (const auto sums : {&Totals::rejections, &Totals::retries, &Totals::refreshes, &Totals::flows, &Totals::webhooks})
    for (const auto& [name, count] : earlier.*sums) (between.*sums)[name] -= count;
  if (earlier.operations.size() != operations.size()) between.operations.clear();
  for (std::size_t i = 0; i < between.operations.size(); ++i) {
    auto& operation = between.operations[i];
    const auto& before = earlier.operations[i];
    operation.requests -= before.requests;
    operation.errors -= before.errors;
    operation.duration.subtract(before.duration);
    for (std::size_t r = 0; r < operation.results.size(); ++r) operation.results[r] -= before.results[r];
  }
  return between;
}

Totals add_up(std::size_t operations, const std::vector<std::shared_ptr<Shard>>& shards) {
  Totals totals;
  totals.operations.resize(operations + 1);
  for (const auto& shard : shards) add_shard(totals, *shard);
  for (const auto& operation : totals.operations) {
    totals.duration.add(operation.duration);
    for (std::size_t i = 0; i < kResults; ++i) totals.results[i] += operation.results[i];
  }
  return totals;
}

}  // namespace gateway::metrics
