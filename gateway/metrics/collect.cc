#include "gateway/metrics/collect.h"

#include <algorithm>
#include <map>

#include "gateway/metrics/families.h"

namespace gateway::metrics {

namespace {

using prometheus::ClientMetric;
using prometheus::MetricFamily;
using prometheus::MetricType;
using Shards = std::vector<std::shared_ptr<Shard>>;
using LabelList = std::vector<ClientMetric::Label>;

constexpr double kNanosecondsASecond = 1e9;  // divided by: the product with 1e-9 is not the nearest number to 0.075

MetricFamily make_family(const FamilyInfo& info, MetricType type) {
  MetricFamily family;
  family.name = info.name;
  family.help = info.help;
  family.type = type;
  return family;
}

void add_counter(MetricFamily& family, LabelList labels, std::uint64_t value) {
  ClientMetric metric;
  metric.label = std::move(labels);
  metric.counter.value = static_cast<double>(value);
  family.metric.push_back(std::move(metric));
}

// Equal histograms of several shards as one.
struct Sum {
  std::array<std::uint64_t, Histogram::kMostBounds + 1> buckets{};
  std::uint64_t nanoseconds = 0;
  std::uint64_t count = 0;

  void add(const Histogram& histogram, Bounds bounds) {
    for (std::size_t i = 0; i <= bounds.size(); ++i) {
      const std::uint64_t n = histogram.bucket(i);
      buckets[i] += n;
      count += n;
    }
    nanoseconds += histogram.sum();
  }
};

void add_histogram(MetricFamily& family, LabelList labels, const Sum& sum, Bounds bounds) {
  if (sum.count == 0) return;
  ClientMetric metric;
  metric.label = std::move(labels);
  metric.histogram.sample_count = sum.count;
  metric.histogram.sample_sum = static_cast<double>(sum.nanoseconds) / kNanosecondsASecond;
  std::uint64_t below = 0;
  for (std::size_t i = 0; i < bounds.size(); ++i)
    metric.histogram.bucket.push_back(
        {below += sum.buckets[i], static_cast<double>(bounds[i].count()) / kNanosecondsASecond});
  family.metric.push_back(std::move(metric));
}

std::map<std::uint64_t, std::uint64_t> add_up(const Shards& shards, CountTable Shard::*table) {
  std::map<std::uint64_t, std::uint64_t> total;
  for (const auto& shard : shards)
    (shard.get()->*table).each([&](std::uint64_t key, std::uint64_t count) { total[key] += count; });
  return total;
}

MetricFamily requests(const Labels& labels, const Shards& shards) {
  auto family = make_family(family::kRequests, MetricType::Counter);
  for (const auto& [packed, count] : add_up(shards, &Shard::requests)) {
    const RequestKey key = RequestKey::unpack(packed);
    add_counter(family,
                {{"operation", labels.operation(key.operation)},
                 {"method", std::string(kMethods[key.method])},
                 {"code", std::to_string(key.status)},
                 {"client", labels.client(key.client)}},
                count);
  }
  return family;
}

MetricFamily upstream_requests(const Labels& labels, const Shards& shards) {
  auto family = make_family(family::kUpstreamRequests, MetricType::Counter);
  for (const auto& [key, count] : add_up(shards, &Shard::upstream)) {
    const std::uint64_t code = key & 0xffff;
    add_counter(family,
                {{"operation", labels.operation(key >> 16)}, {"code", code == 0 ? "none" : std::to_string(code)}},
                count);
  }
  return family;
}

MetricFamily durations(const Labels& labels, const Shards& shards) {
  auto family = make_family(family::kRequestDuration, MetricType::Histogram);
  for (std::size_t cell = 0; cell < (labels.operations.size() + 1) * kResults; ++cell) {
    Sum sum;
    for (const auto& shard : shards) sum.add(shard->durations[cell], request_bounds());
    const auto result = static_cast<CacheResult>(cell % kResults);
    add_histogram(family, {{"operation", labels.operation(cell / kResults)}, {"cache", std::string(to_string(result))}},
                  sum, request_bounds());
  }
  return family;
}

MetricFamily cache_requests(const Labels& labels, const Shards& shards) {
  auto family = make_family(family::kCacheRequests, MetricType::Counter);
  for (std::size_t cell = 0; cell < (labels.operations.size() + 1) * kResults * kTiers; ++cell) {
    std::uint64_t count = 0;
    for (const auto& shard : shards) count += shard->cache[cell].get();
    if (count == 0) continue;
    add_counter(family,
                {{"operation", labels.operation(cell / kTiers / kResults)},
                 {"result", std::string(to_string(static_cast<CacheResult>(cell / kTiers % kResults)))},
                 {"tier", std::string(to_string(static_cast<Tier>(cell % kTiers)))}},
                count);
  }
  return family;
}

MetricFamily upstream_durations(const Labels& labels, const Shards& shards) {
  auto family = make_family(family::kUpstreamDuration, MetricType::Histogram);
  for (std::size_t operation = 0; operation <= labels.operations.size(); ++operation) {
    Sum sum;
    for (const auto& shard : shards) sum.add(shard->upstream_durations[operation], upstream_bounds());
    add_histogram(family, {{"operation", labels.operation(operation)}}, sum, upstream_bounds());
  }
  return family;
}

MetricFamily waits(const Shards& shards) {
  auto family = make_family(family::kWait, MetricType::Histogram);
  for (std::size_t urgency = 0; urgency < kUrgencies; ++urgency) {
    Sum sum;
    for (const auto& shard : shards) sum.add(shard->waits[urgency], wait_bounds());
    add_histogram(family, {{"urgency", std::to_string(urgency)}}, sum, wait_bounds());
  }
  return family;
}

MetricFamily redis_durations(const Shards& shards) {
  auto family = make_family(family::kRedisDuration, MetricType::Histogram);
  std::map<std::string, Sum, std::less<>> total;
  for (const auto& shard : shards)
    shard->redis.each([&](std::string_view command, const Histogram& histogram) {
      total[std::string(command)].add(histogram, redis_bounds());
    });
  for (const auto& [command, sum] : total) add_histogram(family, {{"command", command}}, sum, redis_bounds());
  return family;
}

MetricFamily plain(const FamilyInfo& info, const Shards& shards, Count Shard::*count) {
  auto family = make_family(info, MetricType::Counter);
  std::uint64_t total = 0;
  for (const auto& shard : shards) total += (shard.get()->*count).get();
  add_counter(family, {}, total);
  return family;
}

// `names`: one or two label names, as the cells' names have parts.
template <std::size_t kNames>
MetricFamily named(const FamilyInfo& info, const std::vector<std::string>& names, const Shards& shards,
                   Named<Count, kNames> Shard::*cells) {
  using Cells = Named<Count, kNames>;
  auto family = make_family(info, MetricType::Counter);
  std::map<std::string, std::uint64_t, std::less<>> total;
  for (const auto& shard : shards)
    (shard.get()->*cells).each([&](std::string_view name, const Count& count) {
      total[std::string(name)] += count.get();
    });
  for (const auto& [name, count] : total) {
    if (count == 0) continue;
    const std::size_t cut = name.find(Cells::kSeparator);
    LabelList labels{{names[0], name.substr(0, cut)}};
    if (names.size() > 1) labels.push_back({names[1], cut == std::string::npos ? "other" : name.substr(cut + 1)});
    add_counter(family, std::move(labels), count);
  }
  return family;
}

MetricFamily build_info() {
  auto family = make_family(family::kBuildInfo, MetricType::Gauge);
  ClientMetric metric;
  metric.label = {{"version", GATEWAY_VERSION}, {"compiler", __VERSION__}};
  metric.gauge.value = 1;
  family.metric.push_back(std::move(metric));
  return family;
}

MetricType type_of(std::string_view name) { return name.ends_with("_total") ? MetricType::Counter : MetricType::Gauge; }

MetricFamily registered(const Gauges& gauges) {
  auto family = make_family({gauges.name, gauges.help}, type_of(gauges.name));
  const bool counts = family.type == MetricType::Counter;
  for (const auto& value : gauges.read()) {
    ClientMetric metric;
    for (std::size_t i = 0; i < std::min(gauges.label_names.size(), value.labels.size()); ++i)
      metric.label.push_back({gauges.label_names[i], value.labels[i]});
    (counts ? metric.counter.value : metric.gauge.value) = value.value;
    family.metric.push_back(std::move(metric));
  }
  return family;
}

}  // namespace

std::vector<MetricFamily> collect_shards(const Labels& labels, const Shards& shards) {
  return {
      requests(labels, shards),
      durations(labels, shards),
      cache_requests(labels, shards),
      named(family::kCacheInvalidations, {"cause"}, shards, &Shard::invalidations),
      plain(family::kUnfencedWrites, shards, &Shard::unfenced),
      named(family::kUnreadableEntries, {"reason"}, shards, &Shard::unreadable_entries),
      waits(shards),
      named(family::kRejections, {"reason"}, shards, &Shard::rejections),
      upstream_requests(labels, shards),
      upstream_durations(labels, shards),
      named(family::kRetries, {"reason"}, shards, &Shard::retries),
      plain(family::kSaved, shards, &Shard::saved),
      named(family::kTokenRefreshes, {"result"}, shards, &Shard::refreshes),
      redis_durations(shards),
      named(family::kIdempotencyKeys, {"result"}, shards, &Shard::keys),
      named(family::kWebhooks, {"type", "result"}, shards, &Shard::webhooks),
      named(family::kFlowRuns, {"flow", "result"}, shards, &Shard::flows),
      build_info(),
  };
}

void collect_gauges(const std::vector<Gauges>& gauges, std::vector<MetricFamily>& families) {
  for (const Gauges& one : gauges) families.push_back(registered(one));
  for (const FamilyInfo& known : gauge_families()) {
    const bool there =
        std::any_of(gauges.begin(), gauges.end(), [&](const Gauges& one) { return one.name == known.name; });
    if (!there) families.push_back(make_family(known, type_of(known.name)));
  }
}

}  // namespace gateway::metrics
