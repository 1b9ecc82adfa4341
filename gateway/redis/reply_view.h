// One reply as it was read, without an object for each of its parts: for replies that come thousands of times a second.
// FlatReply is filled by ReplyGuard and used again for the next one; a ReplyView is valid where it is handed out. What
// is not there or of another type reads as empty, as 0 and as no text. An array's elements are no arrays.
#pragma once

#include <hiredis/hiredis.h>

#include <charconv>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace gateway::redis {

struct FlatReply {
  struct Part {
    int type;             // REDIS_REPLY_…
    std::int64_t number;  // an integer; of an array how many elements follow
    std::size_t begin, size;
  };
  std::vector<Part> parts;  // the reply itself, then its elements
  std::string bytes;

  void clear() {
    constexpr std::size_t kKept = 64 * 1024;
    parts.clear();
    bytes.clear();
    if (bytes.capacity() > kKept) std::string().swap(bytes);
  }
  void add(int type, std::int64_t number, std::string_view text = {}) {
    parts.push_back({type, number, bytes.size(), text.size()});
    bytes.append(text);
  }
};

class ReplyView {
 public:
  explicit ReplyView(const FlatReply& reply, std::size_t part = 0) : reply_(reply), part_(part) {}

  std::size_t size() const { return is(REDIS_REPLY_ARRAY) ? static_cast<std::size_t>(reply_.parts[part_].number) : 0; }
  ReplyView at(std::size_t place) const {
    return ReplyView(reply_, part_ == 0 && place < size() ? place + 1 : reply_.parts.size());
  }
  std::optional<std::string_view> text() const { return text_of(REDIS_REPLY_STRING); }
  std::optional<std::string_view> error() const { return text_of(REDIS_REPLY_ERROR); }
  // An integer, or a text of decimal digits: Lua's numbers cannot hold 64 bits.
  std::uint64_t number() const {
    if (is(REDIS_REPLY_INTEGER)) return static_cast<std::uint64_t>(reply_.parts[part_].number);
    std::uint64_t number = 0;
    if (const auto digits = text()) std::from_chars(digits->data(), digits->data() + digits->size(), number);
    return number;
  }

 private:
  bool is(int type) const { return part_ < reply_.parts.size() && reply_.parts[part_].type == type; }
  std::optional<std::string_view> text_of(int type) const {
    if (!is(type)) return std::nullopt;
    return std::string_view(reply_.bytes).substr(reply_.parts[part_].begin, reply_.parts[part_].size);
  }

  const FlatReply& reply_;
  std::size_t part_;
};

}  // namespace gateway::redis
