// hiredis' event hooks on Asio. The descriptor belongs to hiredis, which closes it: Asio only watches it and lets go of
// it in the cleanup hook, which hiredis calls before every close. Commands issued in one turn of the loop leave in one
// write. One io_context thread. `owner` owns the adapter; handlers still queued when it is gone do nothing.
#pragma once

#include <hiredis/async.h>

#include <asio/io_context.hpp>
#include <asio/posix/stream_descriptor.hpp>
#include <functional>
#include <memory>

namespace gateway::redis {

class AsioAdapter {
 public:
  // `on_read` runs after each read, also one that ended the context.
  AsioAdapter(asio::io_context& io, redisAsyncContext* context, std::weak_ptr<void> owner,
              std::function<void()> on_read);
  ~AsioAdapter();
  AsioAdapter(const AsioAdapter&) = delete;
  AsioAdapter& operator=(const AsioAdapter&) = delete;

  bool in_read() const { return in_read_; }  // `on_read` comes soon

 private:
  static AsioAdapter& of(void* data) { return *static_cast<AsioAdapter*>(data); }
  void add_read();
  void add_write();
  void forget_writable();
  void wait_writable();
  void write();
  void cleanup();

  asio::io_context& io_;
  redisAsyncContext* context_;  // null once hiredis cleaned up
  std::weak_ptr<void> owner_;
  std::function<void()> on_read_;
  asio::posix::stream_descriptor descriptor_;
  bool want_read_ = false, want_write_ = false;
  bool reading_ = false, waiting_writable_ = false, write_posted_ = false;
  bool in_read_ = false;
  bool in_write_ = false;  // a write asked for now is the rest of a partial one
};

}  // namespace gateway::redis
