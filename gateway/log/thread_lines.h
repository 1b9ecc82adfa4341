// The lines that one thread has written and the background thread has not taken yet. Its thread appends, the background
// thread takes; the lock is theirs alone and nearly always free.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <span>
#include <string_view>

#include "gateway/log/line.h"
#include "gateway/mutex.h"

namespace gateway::log {

// Bytes that grow without being cleared first.
class Lines {
 public:
  char* room(std::size_t size) {
    if (capacity_ - size_ < size) grow(size);
    return bytes_.get() + size_;
  }
  void end_at(const char* end) { size_ = static_cast<std::size_t>(end - bytes_.get()); }
  std::string_view text() const { return {bytes_.get(), size_}; }
  std::size_t size() const { return size_; }
  void clear() { size_ = 0; }

  // Drops whole lines from the front until at most half of what is there is left; answers how many.
  std::uint64_t drop_older_half() {
    const auto cut = text().find('\n', size_ / 2);
    const std::size_t dropped = cut == std::string_view::npos ? size_ : cut + 1;
    const auto lines = static_cast<std::uint64_t>(std::count(bytes_.get(), bytes_.get() + dropped, '\n'));
    std::memmove(bytes_.get(), bytes_.get() + dropped, size_ - dropped);
    size_ -= dropped;
    return lines;
  }

 private:
  void grow(std::size_t more) {
    const std::size_t capacity = std::max(capacity_ * 2, size_ + more);
    auto bytes = std::make_unique_for_overwrite<char[]>(capacity);
    if (size_ > 0) std::memcpy(bytes.get(), bytes_.get(), size_);
    bytes_ = std::move(bytes);
    capacity_ = capacity;
  }

  std::unique_ptr<char[]> bytes_;
  std::size_t size_ = 0;
  std::size_t capacity_ = 0;
};

class ThreadLines {
 public:
  static constexpr std::size_t kMost = 2 * 1024 * 1024;  // bytes that wait; more loses the oldest

  // The bytes that wait now.
  std::size_t add(std::chrono::system_clock::time_point time, Level level, std::string_view event,
                  std::span<const Item> items) {
    const std::size_t bound = line_bound(event, items) + 1;
    Lock lock(mutex_);
    if (lines_.size() + bound > kMost) dropped_ += lines_.drop_older_half();
    char* end = write_line(lines_.room(bound), time, level, event, items);
    *end++ = '\n';
    lines_.end_at(end);
    return lines_.size();
  }

  // `empty` comes back with the lines; its room is used for the next ones.
  void take(Lines& empty) {
    Lock lock(mutex_);
    std::swap(lines_, empty);
  }

  std::uint64_t dropped() const {
    Lock lock(mutex_);
    return dropped_;
  }

 private:
  mutable Mutex mutex_;
  Lines lines_ GUARDED_BY(mutex_);
  std::uint64_t dropped_ GUARDED_BY(mutex_) = 0;
};

}  // namespace gateway::log
