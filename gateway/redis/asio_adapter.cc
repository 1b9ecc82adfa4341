#include "gateway/redis/asio_adapter.h"

#include <asio/post.hpp>
#include <utility>

namespace gateway::redis {

AsioAdapter::AsioAdapter(asio::io_context& io, redisAsyncContext* context, std::weak_ptr<void> owner,
                         std::function<void()> on_read)
    : io_(io), context_(context), owner_(std::move(owner)), on_read_(std::move(on_read)), descriptor_(io) {
  descriptor_.assign(context->c.fd);
  context->ev.data = this;
  context->ev.addRead = [](void* data) noexcept { of(data).add_read(); };
  context->ev.delRead = [](void* data) noexcept { of(data).want_read_ = false; };
  context->ev.addWrite = [](void* data) noexcept { of(data).add_write(); };
  context->ev.delWrite = [](void* data) noexcept { of(data).want_write_ = false; };
  context->ev.cleanup = [](void* data) noexcept { of(data).cleanup(); };
}

AsioAdapter::~AsioAdapter() {
  if (context_) cleanup();
}

void AsioAdapter::cleanup() {
  context_->ev = {};
  context_ = nullptr;
  descriptor_.release();  // and with it the waits: their handlers see operation_aborted
}

void AsioAdapter::add_read() {
  want_read_ = true;
  if (reading_) return;
  reading_ = true;
  descriptor_.async_wait(descriptor_.wait_read, [this, owner = owner_](asio::error_code error) {
    const auto alive = owner.lock();
    if (!alive || error || !context_) return;
    reading_ = false;
    if (!want_read_) return;
    in_read_ = true;
    redisAsyncHandleRead(context_);
    in_read_ = false;
    on_read_();
  });
}

void AsioAdapter::add_write() {
  want_write_ = true;
  if (in_write_ || !(context_->c.flags & REDIS_CONNECTED)) return wait_writable();
  if (write_posted_ || waiting_writable_) return;
  write_posted_ = true;
  asio::post(io_, [this, owner = owner_] {
    const auto alive = owner.lock();
    if (!alive) return;
    write_posted_ = false;
    if (want_write_ && !waiting_writable_) write();
  });
}

void AsioAdapter::wait_writable() {
  if (waiting_writable_) return;
  waiting_writable_ = true;
  descriptor_.async_wait(descriptor_.wait_write, [this, owner = owner_](asio::error_code error) {
    const auto alive = owner.lock();
    if (!alive || error) return;
    waiting_writable_ = false;
    if (want_write_) write();
    if (context_ && (context_->c.flags & REDIS_CONNECTED) && !waiting_writable_) forget_writable();
  });
}

// Asio never takes back that writability was awaited: each wait for a reply would first be told, by a turn of the loop,
// that the connection can be written to.
void AsioAdapter::forget_writable() {
  const int descriptor = descriptor_.release();
  descriptor_.assign(descriptor);
  if (std::exchange(reading_, false)) add_read();
}

void AsioAdapter::write() {
  if (!context_) return;
  in_write_ = true;
  redisAsyncHandleWrite(context_);
  in_write_ = false;
  // A connect still under way (a spurious wake-up) is not re-armed by hiredis.
  if (context_ && !(context_->c.flags & REDIS_CONNECTED)) wait_writable();
}

}  // namespace gateway::redis
