// Answers in this process' memory, ready to be written out: the tier that a worker reads by itself. Bounded in bytes;
// what was not used since the hand came by goes first (SIEVE: Zhang and others, NSDI 2024), so that a hit writes
// nothing that another worker reads. Workers look without a lock and without counting references, each through a Reader
// of its own; all else may be called by any thread, and writers wait for each other. An entry says nothing about
// whether it may be served: the caller asks Fence and freshness.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "gateway/cache/entry.h"
#include "gateway/cache/read_sections.h"
#include "gateway/mutex.h"

namespace gateway::cache {

class MemoryTier {
  struct Node;

 public:
  explicit MemoryTier(std::uint64_t bytes);
  ~MemoryTier();
  MemoryTier(const MemoryTier&) = delete;
  MemoryTier& operator=(const MemoryTier&) = delete;

  // One worker's way in. One View at a time; it is short: what is replaced or evicted meanwhile is freed after it.
  class Reader {
   public:
    class View {
     public:
      View(const View&) = delete;
      View& operator=(const View&) = delete;
      ~View() { section_.leave(); }
      explicit operator bool() const { return entry_ != nullptr; }
      const Entry* operator->() const { return entry_->get(); }
      const Entry& operator*() const { return **entry_; }
      const std::shared_ptr<const Entry>& shared() const { return *entry_; }  // for longer than the View

     private:
      friend class Reader;
      View(ReadSections::Reader& section, const MemoryTier& tier, std::string_view key);
      ReadSections::Reader& section_;
      const std::shared_ptr<const Entry>* entry_;
    };

    explicit Reader(MemoryTier& tier) : tier_(tier), section_(tier.sections_.add_reader()) {}
    View find(std::string_view key) { return View(section_, tier_, key); }

   private:
    const MemoryTier& tier_;
    ReadSections::Reader& section_;
  };

  std::shared_ptr<const Entry> find(std::string_view key) const;
  // Replaces what was there. False: not kept, since it is larger than an eighth of the tier.
  bool put(std::string_view key, std::shared_ptr<const Entry> entry);
  void remove(std::string_view key);
  // Looks at every entry, under the lock; how many went. `gone` does not use the tier.
  std::uint64_t remove_if(const std::function<bool(const Entry&)>& gone);
  void clear();

  std::uint64_t bytes() const { return bytes_.load(std::memory_order_relaxed); }
  std::uint64_t entries() const { return entries_.load(std::memory_order_relaxed); }
  std::uint64_t evictions() const { return evictions_.load(std::memory_order_relaxed); }

 private:
  using Link = std::atomic<Node*>;
  const Node* look(std::string_view key) const;  // in a read section, or under the lock
  Link& chain_of(std::string_view key) const { return chains_[std::hash<std::string_view>{}(key)&chain_mask_]; }
  void make_room(std::uint64_t bytes) REQUIRES(mutex_);
  void unlink(Node& node) REQUIRES(mutex_);
  void retire(Node& node) REQUIRES(mutex_);
  void free_unseen() REQUIRES(mutex_);

  const std::uint64_t most_bytes_;
  const std::uint64_t chain_mask_;
  const std::unique_ptr<Link[]> chains_;
  mutable ReadSections sections_;
  mutable Mutex mutex_;
  Node* newest_ GUARDED_BY(mutex_) = nullptr;
  Node* oldest_ GUARDED_BY(mutex_) = nullptr;
  Node* hand_ GUARDED_BY(mutex_) = nullptr;  // the next one to be looked at for eviction; null: the oldest
  struct Retired {
    std::uint64_t under;
    Node* node;
  };
  std::deque<Retired> retired_ GUARDED_BY(mutex_);
  std::atomic<std::uint64_t> bytes_{0}, entries_{0}, evictions_{0};
};

}  // namespace gateway::cache
