// Answers in this process' memory, ready to be written out: the tier that a worker reads by itself. Bounded in bytes,
// least recently used first out, in shards so that workers do not wait for each other. Any thread. An entry says
// nothing about whether it may be served: the caller asks Fence and freshness.
#pragma once

#include <chrono>
#include <cstdint>
#include <list>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "gateway/cache/fence.h"
#include "gateway/mutex.h"
#include "policies/freshness.h"

namespace gateway::cache {

struct Entry {
  int status = 200;
  std::string
      head;  // status line and field lines, each CRLF ended, Content-Length included: what Reply::send_prepared takes
  std::string body;
  std::string etag;  // as they stand in `head`; empty for none
  std::string last_modified;
  bool own_etag = false;                  // `etag` is made from the body: upstream does not know it
  std::chrono::milliseconds received{0};  // boottime
  policies::Lifetimes lifetimes;
  Guard guard;
};

class MemoryTier {
 public:
  explicit MemoryTier(std::uint64_t bytes);

  std::shared_ptr<const Entry> find(std::string_view key);
  // Replaces what was there. An entry larger than a shard's share is not kept.
  void put(std::string_view key, std::shared_ptr<const Entry> entry);
  void remove(std::string_view key);
  void clear();

  std::uint64_t bytes() const;
  std::uint64_t entries() const;
  std::uint64_t evictions() const { return evictions_.load(std::memory_order_relaxed); }

 private:
  struct Node {
    std::string key;
    std::shared_ptr<const Entry> entry;
    std::size_t bytes;
  };
  struct Hash {
    using is_transparent = void;
    std::size_t operator()(std::string_view text) const { return std::hash<std::string_view>{}(text); }
  };
  struct Shard {
    mutable Mutex mutex;
    std::list<Node> order GUARDED_BY(mutex);  // front: used last
    std::unordered_map<std::string_view, std::list<Node>::iterator, Hash, std::equal_to<>> index GUARDED_BY(mutex);
    std::uint64_t bytes GUARDED_BY(mutex) = 0;
  };
  static constexpr std::size_t kShards = 16;
  Shard& shard_of(std::string_view key) { return shards_[(Hash{}(key) >> 7) % kShards]; }
  static void drop(Shard& shard, std::list<Node>::iterator node) REQUIRES(shard.mutex);

  std::uint64_t shard_bytes_;
  std::unique_ptr<Shard[]> shards_;
  std::atomic<std::uint64_t> evictions_{0};
};

}  // namespace gateway::cache
