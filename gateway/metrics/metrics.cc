#include "gateway/metrics/metrics.h"

#include <prometheus/collectable.h>
#include <prometheus/text_serializer.h>

#include <algorithm>
#include <atomic>
#include <bit>
#include <sstream>

#include "gateway/metrics/collect.h"
#include "gateway/metrics/families.h"
#include "gateway/metrics/process.h"
#include "gateway/metrics/shard.h"
#include "gateway/mutex.h"

namespace gateway::metrics {

namespace {

// Which shard this thread writes to. Handed back when the thread ends.
struct Lease {
  std::uint64_t owner = 0;
  std::shared_ptr<Shard> shard;

  void give_back() {
    if (shard) shard->in_use.store(false, std::memory_order_release);
    shard.reset();
  }
  ~Lease() { give_back(); }
};
thread_local Lease lease;

std::atomic<std::uint64_t> next_owner{1};

// Room for some statuses of each operation and client; the table folds clients into "other" when it is short of that.
std::size_t request_slots(std::size_t operations, std::size_t clients) {
  constexpr std::size_t kStatuses = 4, kLeast = 1024, kMost = 32'768;
  return std::clamp(std::bit_ceil(operations * (clients + 1) * kStatuses * 2), kLeast, kMost);
}

std::uint8_t method_index(std::string_view method) {
  const auto at = std::find(kMethods.begin(), kMethods.end() - 1, method);
  return static_cast<std::uint8_t>(at - kMethods.begin());
}

std::uint64_t without_client(std::uint64_t key) {
  RequestKey folded = RequestKey::unpack(key);
  folded.client = kOtherClient;
  folded.status = static_cast<std::uint16_t>(folded.status / 100 * 100);
  return folded.packed();
}

}  // namespace

class Metrics::Impl : public prometheus::Collectable {
 public:
  Impl(std::vector<std::string> operations, std::vector<std::string> clients)
      : names_(operations),
        operations_(operations.size()),
        clients_(clients.size()),
        labels_{std::move(operations), std::move(clients)} {
    slots_ = request_slots(operations_ + 1, clients_);
  }

  void add_client(std::string name) {
    const Lock lock(mutex_);
    labels_.clients.push_back(std::move(name));
    clients_.store(labels_.clients.size(), std::memory_order_release);
  }
  std::size_t clients() const { return clients_.load(std::memory_order_acquire); }

  Shard& shard() {
    if (lease.owner != id_) take_shard();
    return *lease.shard;
  }

  std::size_t dense(OperationIndex operation) const { return std::min<std::size_t>(operation, operations_); }

  std::uint16_t client(std::uint16_t index) const { return index <= clients() ? index : kOtherClient; }

  void add_gauges(Gauges gauges) {
    if (gauges.help.empty())
      for (const FamilyInfo& known : gauge_families())
        if (known.name == gauges.name) gauges.help = known.help;
    const Lock lock(mutex_);
    gauges_.push_back(std::move(gauges));
  }

  Totals totals() const {
    std::vector<std::shared_ptr<Shard>> shards;
    {
      const Lock lock(mutex_);
      shards = shards_;
    }
    return add_up(operations_, shards);
  }

  const std::vector<std::string>& operations() const { return names_; }

  std::vector<prometheus::MetricFamily> Collect() const override {
    std::vector<std::shared_ptr<Shard>> shards;
    std::vector<Gauges> gauges;
    Labels labels;
    {
      const Lock lock(mutex_);
      shards = shards_;
      gauges = gauges_;
      labels = labels_;
    }
    auto families = collect_shards(labels, shards);
    collect_gauges(gauges, families);
    for (auto& family : process_families()) families.push_back(std::move(family));
    return families;
  }

 private:
  // Rare: once for a thread's life. A shard whose thread has ended goes on with the next.
  void take_shard() {
    lease.give_back();
    const Lock lock(mutex_);
    for (const auto& candidate : shards_) {
      bool free = false;
      if (candidate->in_use.compare_exchange_strong(free, true, std::memory_order_acquire)) {
        lease.shard = candidate;
        lease.owner = id_;
        return;
      }
    }
    lease.shard = std::make_shared<Shard>(operations_ + 1, slots_);
    lease.owner = id_;
    shards_.push_back(lease.shard);
  }

  const std::uint64_t id_ = next_owner.fetch_add(1);
  const std::vector<std::string> names_;
  const std::size_t operations_;
  std::atomic<std::size_t> clients_;
  std::size_t slots_ = 0;
  mutable Mutex mutex_;
  Labels labels_ GUARDED_BY(mutex_);
  std::vector<std::shared_ptr<Shard>> shards_ GUARDED_BY(mutex_);
  std::vector<Gauges> gauges_ GUARDED_BY(mutex_);
};

std::string_view to_string(CacheResult result) {
  switch (result) {
    case CacheResult::Hit:
      return "hit";
    case CacheResult::Stale:
      return "stale";
    case CacheResult::Revalidated:
      return "revalidated";
    case CacheResult::Coalesced:
      return "coalesced";
    case CacheResult::Miss:
      return "miss";
    case CacheResult::Bypass:
      return "bypass";
  }
  return "bypass";
}

std::string_view to_string(Tier tier) {
  switch (tier) {
    case Tier::None:
      return "none";
    case Tier::Memory:
      return "memory";
    case Tier::Redis:
      return "redis";
  }
  return "none";
}

Metrics::Metrics(std::vector<std::string> operations, std::vector<std::string> clients)
    : impl_(std::make_unique<Impl>(std::move(operations), std::move(clients))) {}
Metrics::~Metrics() = default;

void Metrics::add_client(std::string name) { impl_->add_client(std::move(name)); }
std::size_t Metrics::clients() const { return impl_->clients(); }

void Metrics::request(const RequestRecord& record) {
  Shard& shard = impl_->shard();
  const std::size_t operation = impl_->dense(record.operation), result = static_cast<std::size_t>(record.cache);
  const RequestKey key{static_cast<std::uint16_t>(operation), method_index(record.method),
                       static_cast<std::uint16_t>(record.status), impl_->client(record.client)};
  shard.requests.add(key.packed(), without_client);
  shard.durations[operation * kResults + result].record(request_bounds(), record.duration);
  // What is outside the catalogue never asks the cache.
  if (record.operation != kOther && record.asks_cache)
    shard.cache[(operation * kResults + result) * kTiers + static_cast<std::size_t>(record.tier)].add();
}

void Metrics::upstream_request(OperationIndex operation, int code, std::chrono::nanoseconds duration) {
  Shard& shard = impl_->shard();
  const std::size_t index = impl_->dense(operation);
  shard.upstream.add(std::uint64_t{index} << 16 | static_cast<std::uint16_t>(code),
                     [](std::uint64_t key) { return key >> 16 << 16 | (key & 0xffff) / 100 * 100; });
  shard.upstream_durations[index].record(upstream_bounds(), duration);
}

void Metrics::upstream_retry(std::string_view reason) { impl_->shard().retries.at(reason).add(); }
void Metrics::upstream_saved() { impl_->shard().saved.add(); }
void Metrics::invalidation(std::string_view cause) { impl_->shard().invalidations.at(cause).add(); }
void Metrics::unfenced_write() { impl_->shard().unfenced.add(); }
void Metrics::unreadable_entry(std::string_view reason) { impl_->shard().unreadable_entries.at(reason).add(); }

void Metrics::rate_limit_wait(int urgency, std::chrono::nanoseconds waited) {
  const auto index = static_cast<std::size_t>(std::clamp(urgency, 0, static_cast<int>(kUrgencies) - 1));
  impl_->shard().waits[index].record(wait_bounds(), waited);
}

void Metrics::rate_limit_rejection(std::string_view reason) { impl_->shard().rejections.at(reason).add(); }
void Metrics::token_refresh(std::string_view result) { impl_->shard().refreshes.at(result).add(); }

void Metrics::redis_command(std::string_view command, std::chrono::nanoseconds duration) {
  impl_->shard().redis.at(command).record(redis_bounds(), duration);
}

void Metrics::idempotency_key(std::string_view result) { impl_->shard().keys.at(result).add(); }
void Metrics::webhook(std::string_view type, std::string_view result) {
  impl_->shard().webhooks.at(type, result).add();
}

void Metrics::flow_run(std::string_view flow, std::string_view result) { impl_->shard().flows.at(flow, result).add(); }

void Metrics::gauge(std::string name, std::string help, std::function<double()> read) {
  gauges(std::move(name), std::move(help), {}, [read = std::move(read)] {
    return std::vector<LabelledValue>{{{}, read()}};
  });
}

void Metrics::gauges(std::string name, std::string help, std::vector<std::string> label_names,
                     std::function<std::vector<LabelledValue>()> read) {
  impl_->add_gauges({std::move(name), std::move(help), std::move(label_names), std::move(read)});
}

Totals Metrics::totals() const { return impl_->totals(); }
const std::vector<std::string>& Metrics::operations() const { return impl_->operations(); }

std::string Metrics::scrape() const {
  std::ostringstream text;
  prometheus::TextSerializer().Serialize(text, impl_->Collect());
  return std::move(text).str();
}

}  // namespace gateway::metrics
