// Stands between hiredis' parser and its dispatcher. hiredis ends the process by assert() on a reply nobody asked for
// and on a push of the wrong shape, and builds whatever size is announced; a server must not be able to do that to us.
// Refused replies become a protocol error, which ends the connection. One guard a context, living at least as long.
#pragma once

#include <hiredis/async.h>

#include <cstddef>

namespace gateway::redis {

class ReplyGuard {
 public:
  ReplyGuard(redisAsyncContext* context, std::size_t max_bytes, std::size_t max_elements);
  ReplyGuard(const ReplyGuard&) = delete;
  ReplyGuard& operator=(const ReplyGuard&) = delete;

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
};

}  // namespace gateway::redis
