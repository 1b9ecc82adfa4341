#include "gateway/redis/reply_guard.h"

#include <string_view>

namespace gateway::redis {
namespace {

char flat_reply;  // what hiredis holds in place of a reply that was read flat

constexpr std::size_t push_elements = 3;  // kind, channel, message or count

// hiredis asserts on these types without looking; nested arrays never occur.
bool push_shape(const redisReadTask* task, std::string_view text) {
  if (!task->parent || task->parent->parent || task->type == REDIS_REPLY_ARRAY) return false;
  switch (task->idx) {
    case 0:
      return task->type == REDIS_REPLY_STRING && (text == "message" || text == "subscribe");
    case 1:
      return task->type == REDIS_REPLY_STRING;
    default:
      return task->type == REDIS_REPLY_STRING || task->type == REDIS_REPLY_INTEGER;
  }
}

}  // namespace

ReplyGuard::ReplyGuard(redisAsyncContext* context, std::size_t max_bytes, std::size_t max_elements)
    : context_(context),
      plain_(context->c.reader->fn),
      guarded_(*plain_),
      max_bytes_(max_bytes),
      max_elements_(max_elements) {
  guarded_.createString = [](const redisReadTask* task, char* text, std::size_t size) noexcept -> void* {
    ReplyGuard& guard = of(task);
    if (!guard.allow(task, size, 0)) return nullptr;
    if (guard.push_ && !push_shape(task, {text, size})) return nullptr;
    if (guard.flat_now_) return guard.flat_.add(task->type, 0, {text, size}), &flat_reply;
    return guard.plain_->createString(task, text, size);
  };
  guarded_.createArray = [](const redisReadTask* task, int size) noexcept -> void* {
    ReplyGuard& guard = of(task);
    if (size < 0 || !guard.allow(task, 0, static_cast<std::size_t>(size))) return nullptr;
    if (guard.flat_now_ && task->parent) return nullptr;  // nobody asks for such
    if (guard.flat_now_) return guard.flat_.add(REDIS_REPLY_ARRAY, size), &flat_reply;
    const bool wrong_push = guard.push_ && (task->parent || static_cast<std::size_t>(size) != push_elements);
    return wrong_push ? nullptr : guard.plain_->createArray(task, size);
  };
  guarded_.createInteger = [](const redisReadTask* task, long long value) noexcept -> void* {
    ReplyGuard& guard = of(task);
    if (!guard.allow(task, 0, 0) || (guard.push_ && !push_shape(task, {}))) return nullptr;
    if (guard.flat_now_) return guard.flat_.add(REDIS_REPLY_INTEGER, value), &flat_reply;
    return guard.plain_->createInteger(task, value);
  };
  guarded_.createNil = [](const redisReadTask* task) noexcept -> void* {
    ReplyGuard& guard = of(task);
    if (!guard.allow(task, 0, 0) || guard.push_) return nullptr;
    if (guard.flat_now_) return guard.flat_.add(REDIS_REPLY_NIL, 0), &flat_reply;
    return guard.plain_->createNil(task);
  };
  guarded_.freeObject = [](void* reply) noexcept {
    if (!is_flat(reply)) freeReplyObject(reply);
  };
  context->c.reader->fn = &guarded_;
  context->c.reader->privdata = this;
}

bool ReplyGuard::is_flat(const void* reply) { return reply == &flat_reply; }

// A reply answers a command, or is a message of a subscription, or is the error a server greets with before it closes
// ("max number of clients reached").
bool ReplyGuard::expected_root(const redisReadTask* task) const {
  if (context_->replies.head != nullptr || task->type == REDIS_REPLY_ERROR) return true;
  return (context_->c.flags & REDIS_SUBSCRIBED) && task->type == REDIS_REPLY_ARRAY;
}

bool ReplyGuard::allow(const redisReadTask* task, std::size_t bytes, std::size_t elements) {
  if (task->parent == nullptr) {
    if (!expected_root(task)) return false;
    push_ = context_->replies.head == nullptr && (context_->c.flags & REDIS_SUBSCRIBED);
    bytes_ = elements_ = 0;
    flat_now_ = !push_ && context_->replies.head != nullptr && flat_wanted_ && flat_wanted_();
    if (flat_now_) flat_.clear();
  }
  bytes_ += bytes;
  elements_ += elements;
  return bytes_ <= max_bytes_ && elements_ <= max_elements_;
}

}  // namespace gateway::redis
