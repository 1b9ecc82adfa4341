#include "gateway/server/output.h"

#include <sys/socket.h>
#include <sys/uio.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>

#include "gateway/server/reply.h"
#include "gateway/server/tls.h"

namespace gateway::server {

namespace {

constexpr std::size_t kSegment = 64 * 1024;  // a buffer above this gets a successor, so that what was sent can go
constexpr std::size_t kKept = 256 * 1024;    // buffer space kept for the next answers
constexpr std::size_t kVectors = 16;
constexpr std::size_t kRecord = 16 * 1024;  // the most plain bytes of one TLS record (RFC 8446 section 5.1)

}  // namespace

std::string& Output::tail() {
  if (segments_.empty() || segments_.back().body || segments_.back().bytes.size() > kSegment) segments_.emplace_back();
  return segments_.back().bytes;
}

void Output::append(std::shared_ptr<const std::string> body) {
  if (!body || body->empty()) return;
  if (body->size() <= kCopiedBody)
    append(std::string_view(*body));
  else
    tail(), segments_.back().body = std::move(body);
}

std::size_t Output::size() const {
  std::size_t size = 0;
  for (const auto& segment : segments_) size += segment.size();
  return size - offset_;
}

void Output::clear() {
  segments_.resize(std::min<std::size_t>(segments_.size(), 1));
  offset_ = 0;
  if (segments_.empty()) return;
  segments_.front().body.reset();
  segments_.front().bytes.clear();
  if (segments_.front().bytes.capacity() > kKept) segments_.clear();
}

long Output::send_some(int fd) const {
  const auto& first = segments_.front();
  if (segments_.size() == 1 && !first.body) {
    return ::send(fd, first.bytes.data() + offset_, first.bytes.size() - offset_, MSG_NOSIGNAL);
  }
  std::array<iovec, kVectors> vectors{};
  std::size_t count = 0;
  std::size_t skip = offset_;
  const auto add = [&](const std::string& piece) {
    const auto skipped = std::min(skip, piece.size());
    skip -= skipped;
    if (skipped < piece.size()) vectors[count++] = {const_cast<char*>(piece.data()) + skipped, piece.size() - skipped};
  };
  for (const auto& segment : segments_) {
    if (count + 2 > kVectors) break;
    add(segment.bytes);
    if (segment.body) add(*segment.body);
  }
  msghdr message{};
  message.msg_iov = vectors.data();
  message.msg_iovlen = count;
  return ::sendmsg(fd, &message, MSG_NOSIGNAL);
}

// Sends one TLS record. Small pieces are gathered; a large one is encrypted from where it lies. OpenSSL wants a write
// that it did not take repeated with the same bytes: what begins at offset_ only grows until it is taken.
long Output::send_some(TlsSession& session) const {
  std::array<char, kRecord> gathered;
  std::size_t count = 0;
  std::size_t skip = offset_;
  const auto add = [&](std::string_view piece) {
    const auto skipped = std::min(skip, piece.size());
    skip -= skipped;
    piece.remove_prefix(skipped);
    const auto taken = std::min(piece.size(), kRecord - count);
    std::memcpy(gathered.data() + count, piece.data(), taken);
    count += taken;
  };
  const auto& first = segments_.front();
  if (first.bytes.size() >= offset_ + kRecord || (segments_.size() == 1 && !first.body))
    return session.write(std::string_view(first.bytes).substr(offset_, kRecord));
  if (first.body && offset_ >= first.bytes.size() && first.size() >= offset_ + kRecord)
    return session.write(std::string_view(*first.body).substr(offset_ - first.bytes.size(), kRecord));
  for (const auto& segment : segments_) {
    if (count == kRecord) break;
    add(segment.bytes);
    if (segment.body) add(*segment.body);
  }
  return session.write({gathered.data(), count});
}

void Output::drop(std::size_t sent) {
  offset_ += sent;
  while (segments_.size() > 1 && offset_ >= segments_.front().size()) {
    offset_ -= segments_.front().size();
    segments_.pop_front();
  }
}

template <typename Write>
Output::Sent Output::flush_by(Write write) {
  for (auto left = size(); left > 0;) {
    const auto sent = write();
    if (sent < 0 && errno == EINTR) continue;
    if (sent < 0) return errno == EAGAIN || errno == EWOULDBLOCK ? Sent::Blocked : Sent::Failed;
    left -= static_cast<std::size_t>(sent);
    if (left > 0) drop(static_cast<std::size_t>(sent));
  }
  clear();
  return Sent::All;
}

Output::Sent Output::flush(int fd) {
  return flush_by([&] { return send_some(fd); });
}

Output::Sent Output::flush(TlsSession& session) {
  return flush_by([&] { return send_some(session); });
}

}  // namespace gateway::server
