// A reply while hiredis still holds it, read without being copied: for replies that come thousands of times a second.
// Valid only where it is handed out. What is not there or of another type reads as empty, as 0 and as no text.
#pragma once

#include <hiredis/hiredis.h>

#include <charconv>
#include <cstdint>
#include <optional>
#include <string_view>

namespace gateway::redis {

class ReplyView {
 public:
  explicit ReplyView(const redisReply* reply) : reply_(reply) {}

  std::size_t size() const { return is(REDIS_REPLY_ARRAY) ? reply_->elements : 0; }
  ReplyView at(std::size_t place) const { return ReplyView(place < size() ? reply_->element[place] : nullptr); }
  std::optional<std::string_view> text() const {
    return is(REDIS_REPLY_STRING) ? std::optional(std::string_view(reply_->str, reply_->len)) : std::nullopt;
  }
  std::optional<std::string_view> error() const {
    return is(REDIS_REPLY_ERROR) ? std::optional(std::string_view(reply_->str, reply_->len)) : std::nullopt;
  }
  // An integer, or a text of decimal digits: Lua's numbers cannot hold 64 bits.
  std::uint64_t number() const {
    if (is(REDIS_REPLY_INTEGER)) return static_cast<std::uint64_t>(reply_->integer);
    std::uint64_t number = 0;
    if (const auto digits = text()) std::from_chars(digits->data(), digits->data() + digits->size(), number);
    return number;
  }

 private:
  bool is(int type) const { return reply_ != nullptr && reply_->type == type; }
  const redisReply* reply_;
};

}  // namespace gateway::redis
