#include "gateway/cache/memory_tier.h"

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstring>
#include <functional>
#include <new>

namespace gateway::cache {

namespace {
// What one entry costs beside its bytes: node, entry, control block, allocator rounding. Measured by tests/bench.
constexpr std::uint64_t kOverhead = 208;
constexpr std::uint64_t kLongestKey = (1 << 24) - 1;  // what a node can say; no request makes one half as long
constexpr std::uint64_t kLargestPart = 8;             // of the tier, for one entry
constexpr std::uint64_t kBytesPerChain = 2048;        // about an entry, so that chains are short

std::uint64_t cost(std::string_view key, const Entry& entry) { return key.size() + entry.bytes() + kOverhead; }

std::uint64_t chains_for(std::uint64_t bytes) {
  constexpr std::uint64_t kLeast = 256, kMost = 1 << 24;
  return std::bit_ceil(std::clamp(bytes / kBytesPerChain, kLeast, kMost));
}
}  // namespace

// Its key begins in it and goes on behind it, in one allocation. What is asked of a node only when it goes is computed
// then.
struct MemoryTier::Node {
  Link next{nullptr};  // in its chain; what was unlinked still leads back into it
  Node* newer = nullptr;
  Node* older = nullptr;
  std::shared_ptr<const Entry> entry;
  std::uint32_t key_size : 24 = 0;
  mutable std::atomic<bool> used{false};
  char key_begin[4];  // four bytes that would be padding

  std::string_view key() const { return {key_begin, key_size}; }

  static Node* make(std::string_view key, std::shared_ptr<const Entry> entry);
  static void free(Node* node) {
    node->~Node();
    ::operator delete(node);
  }
};

MemoryTier::Node* MemoryTier::Node::make(std::string_view key, std::shared_ptr<const Entry> entry) {
  constexpr std::size_t kKeyAt = offsetof(Node, key_begin);
  static_assert(kKeyAt == 44);
  void* room = ::operator new(std::max(sizeof(Node), kKeyAt + key.size()));
  Node* node = new (room) Node;
  node->entry = std::move(entry);
  node->key_size = static_cast<std::uint32_t>(key.size() & kLongestKey);
  std::memcpy(static_cast<char*>(room) + kKeyAt, key.data(), key.size());
  return node;
}

MemoryTier::MemoryTier(std::uint64_t bytes)
    : most_bytes_(bytes), chain_mask_(chains_for(bytes) - 1), chains_(std::make_unique<Link[]>(chain_mask_ + 1)) {}

MemoryTier::~MemoryTier() {
  clear();
  Lock lock(mutex_);
  for (const auto& retired : retired_) Node::free(retired.node);
}

const MemoryTier::Node* MemoryTier::look(std::string_view key) const {
  for (const Node* node = chain_of(key).load(); node != nullptr; node = node->next.load())
    if (node->key() == key) {
      if (!node->used.load(std::memory_order_relaxed)) node->used.store(true, std::memory_order_relaxed);
      return node;
    }
  return nullptr;
}

MemoryTier::Reader::View::View(ReadSections::Reader& section, const MemoryTier& tier, std::string_view key)
    : section_(section) {
  section_.enter();
  const Node* node = tier.look(key);
  entry_ = node == nullptr ? nullptr : &node->entry;
}

std::shared_ptr<const Entry> MemoryTier::find(std::string_view key) const {
  Lock lock(mutex_);
  const Node* node = look(key);
  return node == nullptr ? nullptr : node->entry;
}

bool MemoryTier::put(std::string_view key, std::shared_ptr<const Entry> entry) {
  const auto bytes = cost(key, *entry);
  if (bytes > most_bytes_ / kLargestPart || key.size() > kLongestKey) {
    remove(key);
    return false;
  }
  Node* node = Node::make(key, std::move(entry));

  Lock lock(mutex_);
  // Of two nodes with one key a reader finds the first: the new one goes in front before the old one goes.
  Link& chain = chain_of(key);
  Node* old = chain.load();
  node->next.store(old);
  chain.store(node);
  while (old != nullptr && old->key() != key) old = old->next.load();
  if (old != nullptr) retire(*old);
  make_room(bytes);
  node->older = newest_;
  (newest_ != nullptr ? newest_->newer : oldest_) = node;
  newest_ = node;
  bytes_.fetch_add(bytes, std::memory_order_relaxed);
  entries_.fetch_add(1, std::memory_order_relaxed);
  free_unseen();
  return true;
}

// SIEVE: the hand goes from old to new and takes the first one that was not used since it came by last.
void MemoryTier::make_room(std::uint64_t bytes) {
  while (oldest_ != nullptr && bytes_.load(std::memory_order_relaxed) + bytes > most_bytes_) {
    Node* node = hand_ != nullptr ? hand_ : oldest_;
    while (node->used.load(std::memory_order_relaxed)) {
      node->used.store(false, std::memory_order_relaxed);
      node = node->newer != nullptr ? node->newer : oldest_;
    }
    hand_ = node->newer;
    retire(*node);
    evictions_.fetch_add(1, std::memory_order_relaxed);
  }
}

void MemoryTier::unlink(Node& node) {
  Link* link = &chain_of(node.key());
  while (link->load() != &node) link = &link->load()->next;
  link->store(node.next.load());
  (node.newer != nullptr ? node.newer->older : newest_) = node.older;
  (node.older != nullptr ? node.older->newer : oldest_) = node.newer;
  if (hand_ == &node) hand_ = node.newer;
}

void MemoryTier::retire(Node& node) {
  unlink(node);
  bytes_.fetch_sub(cost(node.key(), *node.entry), std::memory_order_relaxed);
  entries_.fetch_sub(1, std::memory_order_relaxed);
  retired_.push_back({sections_.retire(), &node});
}

void MemoryTier::free_unseen() {
  if (retired_.empty()) return;
  const auto unseen = sections_.unseen_below();
  for (; !retired_.empty() && retired_.front().under < unseen; retired_.pop_front()) Node::free(retired_.front().node);
}

void MemoryTier::remove(std::string_view key) {
  Lock lock(mutex_);
  if (const Node* node = look(key)) retire(const_cast<Node&>(*node));
  free_unseen();
}

std::uint64_t MemoryTier::remove_if(const std::function<bool(const Entry&)>& gone) {
  std::uint64_t removed = 0;
  Lock lock(mutex_);
  for (Node* node = oldest_; node != nullptr;) {
    Node* next = node->newer;
    if (gone(*node->entry)) {
      retire(*node);
      ++removed;
    }
    node = next;
  }
  free_unseen();
  return removed;
}

void MemoryTier::clear() {
  Lock lock(mutex_);
  while (oldest_ != nullptr) retire(*oldest_);
  free_unseen();
}

}  // namespace gateway::cache
