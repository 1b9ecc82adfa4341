#include "tests/gateway/server/raw_client.h"

#include <doctest/doctest.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <utility>

#include "policies/fields.h"
#include "tests/support/loopback.h"

namespace gateway::server::test {

namespace {

int connect_unix(const std::string& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::memcpy(address.sun_path, path.data(), path.size());
  const int fd = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  REQUIRE(::connect(fd, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0);
  return fd;
}

int connect_tcp(const std::string& address, int receive_buffer) {
  const auto to = test_support::loopback(address);
  const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const int on = 1;
  ::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  if (receive_buffer > 0) ::setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &receive_buffer, sizeof receive_buffer);
  REQUIRE(::connect(fd, reinterpret_cast<const sockaddr*>(&to), sizeof to) == 0);
  return fd;
}

}  // namespace

std::string Answer::field(std::string_view name) const {
  for (std::size_t at = head.find("\r\n"); at != std::string::npos && at + 2 < head.size();
       at = head.find("\r\n", at + 2)) {
    const auto line = std::string_view(head).substr(at + 2, head.find("\r\n", at + 2) - at - 2);
    const auto colon = line.find(": ");
    if (colon != std::string_view::npos && policies::same_name(line.substr(0, colon), name)) {
      return std::string(line.substr(colon + 2));
    }
  }
  return {};
}

RawClient::RawClient(const std::string& address, int receive_buffer)
    : fd_(address.starts_with("unix:") ? connect_unix(address.substr(5)) : connect_tcp(address, receive_buffer)) {}

RawClient::~RawClient() { close(); }

void RawClient::close() {
  if (fd_ >= 0) ::close(std::exchange(fd_, -1));
}

void RawClient::reset() {
  const linger now{1, 0};
  ::setsockopt(fd_, SOL_SOCKET, SO_LINGER, &now, sizeof now);
  close();
}

void RawClient::shut_down() { ::shutdown(fd_, SHUT_WR); }

void RawClient::send(std::string_view bytes) {
  while (!bytes.empty()) {
    const auto sent = ::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent < 0) return;  // refused in the middle: the answer tells
    bytes.remove_prefix(static_cast<std::size_t>(sent));
  }
}

void RawClient::send_slowly(std::string_view bytes) {
  for (char byte : bytes) send({&byte, 1});
}

std::size_t RawClient::send_what_fits(std::string_view bytes) {
  std::size_t total = 0;
  while (total < bytes.size()) {
    const auto sent = ::send(fd_, bytes.data() + total, bytes.size() - total, MSG_NOSIGNAL | MSG_DONTWAIT);
    if (sent <= 0) break;
    total += static_cast<std::size_t>(sent);
  }
  return total;
}

bool RawClient::receive() {
  pollfd ready{fd_, POLLIN, 0};
  if (::poll(&ready, 1, static_cast<int>(kPatience.count())) <= 0) return false;
  char buffer[64 * 1024];
  const auto size = ::recv(fd_, buffer, sizeof buffer, 0);
  if (size > 0)
    received_.append(buffer, static_cast<std::size_t>(size));
  else
    end_ = size == 0 ? End::Eof : End::Reset;
  return size > 0;
}

bool RawClient::is_quiet(std::chrono::milliseconds time) {
  pollfd ready{fd_, POLLIN, 0};
  return received_.empty() && ::poll(&ready, 1, static_cast<int>(time.count())) == 0;
}

void RawClient::wait_for(std::string_view text) {
  while (received_.find(text) == std::string::npos) REQUIRE(receive());
}

bool RawClient::receive_until(std::size_t size) {
  while (received_.size() < size) {
    if (!receive()) return false;
  }
  return true;
}

bool RawClient::dechunk(std::string& body) {
  for (;;) {
    std::size_t line_end = 0;
    while ((line_end = received_.find("\r\n")) == std::string::npos) {
      if (!receive()) return false;
    }
    const auto size = std::stoul(received_.substr(0, line_end), nullptr, 16);
    if (!receive_until(line_end + 2 + size + 2)) return false;
    body.append(received_, line_end + 2, size);
    received_.erase(0, line_end + 2 + size + 2);
    if (size == 0) return true;
  }
}

std::optional<Answer> RawClient::answer(bool to_head) {
  std::size_t head_end = 0;
  while ((head_end = received_.find("\r\n\r\n")) == std::string::npos) {
    if (!receive()) return std::nullopt;
  }
  Answer answer;
  answer.head = received_.substr(0, head_end + 4);
  answer.status = std::stoi(answer.head.substr(9, 3));
  received_.erase(0, head_end + 4);
  if (to_head || answer.status < 200 || answer.status == 204 || answer.status == 304) return answer;
  if (answer.field("Transfer-Encoding") == "chunked") {
    if (!dechunk(answer.body)) return std::nullopt;
  } else if (const auto length = answer.field("Content-Length"); !length.empty()) {
    if (!receive_until(std::stoul(length))) return std::nullopt;
    answer.body = received_.substr(0, std::stoul(length));
    received_.erase(0, answer.body.size());
  } else {
    while (receive()) continue;
    if (end_ != End::Eof) return std::nullopt;
    answer.body = std::exchange(received_, {});
  }
  return answer;
}

RawClient::End RawClient::end(std::string& rest) {
  while (end_ == End::None && receive()) continue;
  rest = std::exchange(received_, {});
  return end_;
}

RawClient::End RawClient::end() {
  std::string rest;
  const auto how = end(rest);
  CHECK(rest == "");
  return how;
}

}  // namespace gateway::server::test
