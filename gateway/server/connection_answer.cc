// Writing: from an answer to bytes in the kernel.
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <charconv>

#include "gateway/server/connection.h"
#include "gateway/server/problem.h"
#include "gateway/server/reply_state.h"
#include "gateway/server/worker.h"

namespace gateway::server {

namespace {

void append_chunk(std::string& out, std::string_view chunk) {
  std::array<char, 20> size{};
  const auto end = std::to_chars(size.data(), size.data() + size.size(), chunk.size(), 16).ptr;
  out.append(size.data(), end).append("\r\n").append(chunk).append("\r\n");
}

std::optional<std::size_t> given_length(const policies::Fields& fields) {
  const auto text = fields.find("content-length");
  std::size_t length = 0;
  if (!text) return std::nullopt;
  const auto parsed = std::from_chars(text->data(), text->data() + text->size(), length);
  if (parsed.ec != std::errc() || parsed.ptr != text->data() + text->size()) return std::nullopt;
  return length;
}

}  // namespace

// The worker's buffers serve one connection at a time: only what the kernel does not take gets a buffer of its own.
Output& Connection::output() { return pending_ ? *pending_ : worker_.scratch(); }

std::string_view Connection::connection_option(bool close) {
  keep_alive_ = keep_alive_ && !close && !worker_.draining();
  if (!keep_alive_) return "close";
  return minor_version_ == 0 ? "keep-alive" : std::string_view{};
}

void Connection::send(Response response) {
  const auto option = connection_option(asks_to_close(response.fields));
  Delimiter delimiter;
  const auto size = response.body ? response.body->size() : 0;
  if (!has_no_body(response.status) && !(head_only_ && !response.body)) delimiter = {Delimiter::Kind::Length, size};
  append_head(output().tail(), response, delimiter, option, worker_.date());
  if (!head_only_ && !has_no_body(response.status)) output().append(std::move(response.body));
  finish_answer();
}

void Connection::append_prepared(std::string_view head, std::string_view extra) {
  const auto option = connection_option(false);
  auto& out = output().tail();
  out.append(head).append(extra);
  if (!option.empty()) out.append("Connection: ").append(option).append("\r\n");
  out.append("\r\n");
}

void Connection::send_prepared(std::string_view head, std::string_view extra, std::string_view body) {
  append_prepared(head, extra);
  if (!head_only_) output().append(body);
  finish_answer();
}

void Connection::send_prepared(std::string_view head, std::string_view extra, std::shared_ptr<const std::string> body) {
  append_prepared(head, extra);
  if (!head_only_) output().append(std::move(body));
  finish_answer();
}

void Connection::start(Response head, std::shared_ptr<Flow> flow) {
  phase_ = Phase::Streaming;
  flow_ = std::move(flow);
  flow_queued_ = 0;
  if (head_only_ || has_no_body(head.status)) {
    stream_ = {};
  } else if (const auto length = given_length(head.fields)) {
    stream_ = {Delimiter::Kind::Length, *length};
    stream_left_ = *length;
  } else {
    stream_ = {minor_version_ > 0 ? Delimiter::Kind::Chunked : Delimiter::Kind::Close, 0};
  }
  const bool close = stream_.kind == Delimiter::Kind::Close || asks_to_close(head.fields);
  const auto option = connection_option(close);
  append_head(output().tail(), head, stream_, option, worker_.date());
  if (head.body) write(*head.body);
}

void Connection::write(std::string_view chunk) {
  if (phase_ != Phase::Streaming || chunk.empty()) return;
  flow_queued_ += chunk.size();
  switch (stream_.kind) {
    case Delimiter::Kind::Chunked:
      append_chunk(output().tail(), chunk);
      break;
    case Delimiter::Kind::Length:
      if (chunk.size() > stream_left_) return cut();  // more than announced: the next answer would be misread
      stream_left_ -= chunk.size();
      [[fallthrough]];
    case Delimiter::Kind::Close:
      output().append(chunk);
      break;
    case Delimiter::Kind::None:
      break;
  }
  if (flow_->unsent > 2 * flow_->cap) lose();  // the writer did not hold back
}

void Connection::end() {
  if (phase_ != Phase::Streaming) return;
  if (stream_.kind == Delimiter::Kind::Chunked) output().append("0\r\n\r\n");
  if (stream_.kind == Delimiter::Kind::Length && stream_left_ > 0) keep_alive_ = false;  // less than announced
  on_drain_ = nullptr;
  finish_answer();
}

// The handler dropped its Reply. Before an answer began that is its bug, unless the client had hung up; in the middle
// of a stream the client must see that it is not whole.
void Connection::abandon() {
  if (phase_ == Phase::Streaming || hung_up_) return cut();
  constexpr std::string_view kReason = "no-answer";
  auto answer = to_response(
      {500, "proxy_internal_error", kReason, "Internal Server Error", "The request was dropped unanswered."});
  worker_.handler().on_refused(answer, kReason);
  send(std::move(answer));
}

void Connection::refuse(const Refusal& refusal) {
  keep_alive_ = false;
  head_only_ = false;
  auto answer = to_response({refusal.status, refusal.status == 503 ? "proxy_internal_error" : "http_request_error",
                             refusal.reason, reason_phrase(refusal.status), std::string(refusal.detail)});
  worker_.handler().on_refused(answer, refusal.reason);
  send(std::move(answer));
}

void Connection::set_on_drain(std::function<void()> callback) {
  on_drain_ = std::move(callback);
  account_flow();
}

void Connection::finish_answer() { phase_ = keep_alive_ && !worker_.draining() ? Phase::Reading : Phase::Closing; }

void Connection::flush() {
  if (phase_ == Phase::Closed) return worker_.scratch().clear();
  Output& out = output();
  const auto before = out.size();
  const auto sent = before == 0 ? Output::Sent::All : tls_ ? out.flush(*tls_) : out.flush(fd_);
  if (out.size() != before) restart_wait_ = true;
  if (sent == Output::Sent::Failed) {
    out.clear();
    return lose();
  }
  if (sent == Output::Sent::Blocked && !pending_) {
    pending_ = std::make_unique<Output>(std::exchange(worker_.scratch(), Output()));
  } else if (sent == Output::Sent::All) {
    pending_.reset();
  }
  if (watching_write_ != (pending_ != nullptr)) {
    watching_write_ = pending_ != nullptr;
    worker_.watch(*this, watching_write_);
  }
  account_flow();
  if (pending_ || answering()) return;
  on_hang_up_ = nullptr;
  flow_ = nullptr;
  if (phase_ != Phase::Closing) return;
  end_output();
  phase_ = end_of_input_ ? Phase::Closed : Phase::Lingering;
}

void Connection::end_output() {
  if (tls_) tls_->close_notify();
  ::shutdown(fd_, SHUT_WR);
}

void Connection::account_flow() {
  if (!flow_) return;
  const auto queued = std::min(flow_queued_, output().size());
  flow_->unsent -= flow_queued_ - queued;
  flow_queued_ = queued;
  if (on_drain_ && flow_->unsent <= flow_->cap / 2 && flow_->held.exchange(false)) {
    const auto callback = on_drain_;
    callback();
  }
}

}  // namespace gateway::server
