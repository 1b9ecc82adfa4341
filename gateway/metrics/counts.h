// The cells that shards are made of: each has one writing thread and any number of readers, so plain loads and stores
// do, relaxed, since no count orders anything else.
#pragma once

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string_view>
#include <vector>

namespace gateway::metrics {

class Count {
 public:
  void add(std::uint64_t by = 1) { n_.store(n_.load(std::memory_order_relaxed) + by, std::memory_order_relaxed); }
  std::uint64_t get() const { return n_.load(std::memory_order_relaxed); }

 private:
  std::atomic<std::uint64_t> n_{0};
};

using Bounds = std::span<const std::chrono::nanoseconds>;

// One histogram: a count for each bucket (the last one above every bound) and the sum in nanoseconds.
class Histogram {
 public:
  static constexpr std::size_t kMostBounds = 21;

  void record(Bounds bounds, std::chrono::nanoseconds value) {
    const auto at = std::lower_bound(bounds.begin(), bounds.end(), value) - bounds.begin();
    buckets_[static_cast<std::size_t>(at)].add();
    sum_.add(static_cast<std::uint64_t>(std::max<std::int64_t>(value.count(), 0)));
  }
  std::uint64_t bucket(std::size_t index) const { return buckets_[index].get(); }
  std::uint64_t sum() const { return sum_.get(); }

 private:
  std::array<Count, kMostBounds + 1> buckets_;
  Count sum_;
};

// Cells by small texts from closed sets ("timeout", "reset"), kept in place so that recording allocates nothing. What
// does not fit, in length or number, shares the cell "other".
template <typename Cell, std::size_t kNames>
class Named {
 public:
  static constexpr std::size_t kLongest = 55;

  // `first` and `second` make one name; `second` may be empty.
  Cell& at(std::string_view first, std::string_view second = {}) {
    char name[kLongest];
    const std::size_t length = first.size() + (second.empty() ? 0 : second.size() + 1);
    if (length > kLongest) return other_;
    std::memcpy(name, first.data(), first.size());
    if (!second.empty()) {
      name[first.size()] = kSeparator;
      std::memcpy(name + first.size() + 1, second.data(), second.size());
    }
    return find_or_add({name, length});
  }

  template <typename Visit>  // visit(name, cell); a name of two parts has kSeparator between them
  void each(Visit visit) const {
    const std::size_t used = used_.load(std::memory_order_acquire);
    for (std::size_t i = 0; i < used; ++i) visit(entries_[i].text(), entries_[i].cell);
    visit(std::string_view("other"), other_);
  }

  static constexpr char kSeparator = '\x1f';

 private:
  struct Entry {
    char name[kLongest];
    std::uint8_t length = 0;
    Cell cell;
    std::string_view text() const { return {name, length}; }
  };

  Cell& find_or_add(std::string_view name) {
    const std::size_t used = used_.load(std::memory_order_relaxed);
    for (std::size_t i = 0; i < used; ++i)
      if (entries_[i].text() == name) return entries_[i].cell;
    if (used == kNames) return other_;
    std::memcpy(entries_[used].name, name.data(), name.size());
    entries_[used].length = static_cast<std::uint8_t>(name.size());
    used_.store(used + 1, std::memory_order_release);  // readers see the name whole
    return entries_[used].cell;
  }

  std::array<Entry, kNames> entries_;
  Cell other_;
  std::atomic<std::size_t> used_{0};
};

// Counts by a 64-bit key, open addressing in a block of fixed size. Keys are never taken out. When seven eighths are
// used, a new key is counted under `fold(key)`, which has far fewer values; the last eighth is theirs.
class CountTable {
 public:
  explicit CountTable(std::size_t slots) : slots_(slots) {}  // a power of two

  template <typename Fold>
  void add(std::uint64_t key, Fold fold) {
    Slot* slot = find(key);
    if (!slot->used() && filled_ >= slots_.size() / 8 * 7) slot = find(key = fold(key));
    if (!slot->used()) {
      if (filled_ + 1 >= slots_.size()) return;  // one slot stays empty, or a search would never end
      ++filled_;
      slot->key.store(key + 1, std::memory_order_release);
    }
    slot->count.add();
  }

  template <typename Visit>  // visit(key, count)
  void each(Visit visit) const {
    for (const Slot& slot : slots_)
      if (const std::uint64_t key = slot.key.load(std::memory_order_acquire)) visit(key - 1, slot.count.get());
  }

 private:
  struct Slot {
    std::atomic<std::uint64_t> key{0};  // plus one; 0: empty
    Count count;
    bool used() const { return key.load(std::memory_order_relaxed) != 0; }
  };

  Slot* find(std::uint64_t key) {
    std::size_t at = static_cast<std::size_t>((key * 0x9E3779B97F4A7C15ull) >> 32) & (slots_.size() - 1);
    while (slots_[at].used() && slots_[at].key.load(std::memory_order_relaxed) != key + 1)
      at = (at + 1) & (slots_.size() - 1);
    return &slots_[at];
  }

  std::vector<Slot> slots_;
  std::size_t filled_ = 0;
};

}  // namespace gateway::metrics
