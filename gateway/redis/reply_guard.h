// Stands between hiredis' parser and its dispatcher. hiredis ends the process by assert() on a reply nobody asked for
// and on a push of the wrong shape, and builds whatever size is announced; a server must not be able to do that to us.
// Refused replies become a protocol error, which ends the connection. One guard a context, living at least as long.
#pragma once

#include <hiredis/async.h>

#include <cstddef>
#include <functional>

#include "gateway/redis/reply_view.h"

namespace gateway::redis {

class ReplyGuard {
 public:
  ReplyGuard(redisAsyncContext* context, std::size_t max_bytes, std::size_t max_elements);
  ReplyGuard(const ReplyGuard&) = delete;
  ReplyGuard& operator=(const ReplyGuard&) = delete;

  // Asked at the beginning of each reply: true, and it is read into flat(), and hiredis hands on what is_flat() knows.
  void read_flat_where(std::function<bool()> wanted) { flat_wanted_ = std::move(wanted); }
  const FlatReply& flat() const { return flat_; }
  static bool is_flat(const void* reply);

 private:
  static ReplyGuard& of(const redisReadTask* task) { return *static_cast<ReplyGuard*>(task->privdata); }
  bool allow(const redisReadTask* task, std::size_t bytes, std::size_t elements);
  bool expected_root(const redisReadTask* task) const;

  redisAsyncContext* context_;
  const redisReplyObjectFunctions* plain_;
  redisReplyObjectFunctions guarded_;
  std::size_t max_bytes_, max_elements_;
  std::size_t bytes_ = 0, elements_ = 0;  // of the reply being read
  bool push_ = false;                     // it is a pub/sub message
  std::function<bool()> flat_wanted_;
  bool flat_now_ = false;
  FlatReply flat_;
};

}  // namespace gateway::redis
