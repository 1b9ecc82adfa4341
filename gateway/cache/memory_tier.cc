#include "gateway/cache/memory_tier.h"

namespace gateway::cache {

namespace {
// What one entry costs beside its bytes: list node, index slot, control block, allocator rounding. Measured by
// tests/bench.
constexpr std::size_t kOverhead = 320;

std::size_t cost(std::string_view key, const Entry& entry) {
  return key.size() + entry.head.capacity() + entry.body.capacity() + entry.etag.capacity() + kOverhead;
}
}  // namespace

MemoryTier::MemoryTier(std::uint64_t bytes)
    : shard_bytes_(bytes / kShards), shards_(std::make_unique<Shard[]>(kShards)) {}

std::shared_ptr<const Entry> MemoryTier::find(std::string_view key) {
  Shard& shard = shard_of(key);
  Lock lock(shard.mutex);
  auto found = shard.index.find(key);
  if (found == shard.index.end()) return nullptr;
  shard.order.splice(shard.order.begin(), shard.order, found->second);
  return found->second->entry;
}

void MemoryTier::drop(Shard& shard, std::list<Node>::iterator node) {
  shard.bytes -= node->bytes;
  shard.index.erase(node->key);
  shard.order.erase(node);
}

void MemoryTier::put(std::string_view key, std::shared_ptr<const Entry> entry) {
  const std::size_t bytes = cost(key, *entry);
  Shard& shard = shard_of(key);
  Lock lock(shard.mutex);
  if (auto found = shard.index.find(key); found != shard.index.end()) drop(shard, found->second);
  if (bytes > shard_bytes_) return;
  while (shard.bytes + bytes > shard_bytes_) {
    drop(shard, std::prev(shard.order.end()));
    evictions_.fetch_add(1, std::memory_order_relaxed);
  }
  shard.order.push_front({std::string(key), std::move(entry), bytes});
  shard.index.emplace(shard.order.front().key, shard.order.begin());
  shard.bytes += bytes;
}

void MemoryTier::remove(std::string_view key) {
  Shard& shard = shard_of(key);
  Lock lock(shard.mutex);
  if (auto found = shard.index.find(key); found != shard.index.end()) drop(shard, found->second);
}

void MemoryTier::clear() {
  for (std::size_t i = 0; i < kShards; ++i) {
    Lock lock(shards_[i].mutex);
    shards_[i].index.clear();
    shards_[i].order.clear();
    shards_[i].bytes = 0;
  }
}

std::uint64_t MemoryTier::bytes() const {
  std::uint64_t total = 0;
  for (std::size_t i = 0; i < kShards; ++i) {
    Lock lock(shards_[i].mutex);
    total += shards_[i].bytes;
  }
  return total;
}

std::uint64_t MemoryTier::entries() const {
  std::uint64_t total = 0;
  for (std::size_t i = 0; i < kShards; ++i) {
    Lock lock(shards_[i].mutex);
    total += shards_[i].order.size();
  }
  return total;
}

}  // namespace gateway::cache
