#include "gateway/records/outlet.h"

#include <algorithm>
#include <asio/post.hpp>
#include <asio/redirect_error.hpp>
#include <asio/this_coro.hpp>
#include <asio/use_awaitable.hpp>
#include <utility>

namespace gateway::records {

namespace {
constexpr std::size_t kUnsent = 256 * 1024;  // for a client that does not read
constexpr std::size_t kPiece = 64 * 1024;
}  // namespace

Outlet::Outlet(asio::io_context& io, server::Reply reply)
    : io_(io), reply_(std::move(reply)), drain_(std::make_shared<Drain>(io)) {}

void Outlet::start(server::Response head) {
  reply_.on_drain([&io = io_, drain = drain_] {
    asio::post(io, [drain] {
      drain->happened = true;
      drain->told.cancel();
    });
  });
  reply_.start(std::move(head), kUnsent);
}

void Outlet::add_line(std::string_view json) {
  const auto begin = static_cast<std::ptrdiff_t>(buffer_.size());
  buffer_.append(json);
  std::replace_if(
      buffer_.begin() + begin, buffer_.end(), [](char c) { return c == '\n' || c == '\r'; }, ' ');
  buffer_ += '\n';
}

// `happened` is cleared before the write whose answer is awaited: a drain that comes after it is posted to this very
// thread and cannot be missed.
asio::awaitable<void> Outlet::flush() {
  const std::string text = std::exchange(buffer_, {});
  for (std::size_t sent = 0; sent < text.size(); sent += kPiece) {
    drain_->happened = false;
    if (reply_.write(text.substr(sent, kPiece))) continue;
    while (!drain_->happened) {
      asio::error_code woken;
      co_await drain_->told.async_wait(asio::redirect_error(asio::use_awaitable, woken));
      if ((co_await asio::this_coro::cancellation_state).cancelled() != asio::cancellation_type::none)
        throw asio::system_error(asio::error::operation_aborted);
    }
  }
}

}  // namespace gateway::records
