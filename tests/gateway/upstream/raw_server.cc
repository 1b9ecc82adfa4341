#include "tests/gateway/upstream/raw_server.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <list>
#include <stdexcept>

#include "tests/support/eventually.h"
#include "tests/support/loopback.h"

namespace tests {

using test_support::loopback;

namespace {

constexpr std::chrono::milliseconds kLimit{10'000};

std::uint16_t bind_any(int socket) {
  sockaddr_in address = loopback(0);
  socklen_t size = sizeof address;
  if (::bind(socket, reinterpret_cast<sockaddr*>(&address), size) != 0) throw std::runtime_error("bind");
  ::getsockname(socket, reinterpret_cast<sockaddr*>(&address), &size);
  return ntohs(address.sin_port);
}

std::size_t content_length(std::string_view head) {
  const std::size_t at = head.find("Content-Length: ");
  return at == head.npos ? 0 : std::stoul(std::string(head.substr(at + 16, 12)));
}

}  // namespace

bool Connection::readable(std::chrono::milliseconds limit) {
  std::array<pollfd, 2> waits{pollfd{socket_, POLLIN, 0}, pollfd{stop_, POLLIN, 0}};
  ::poll(waits.data(), waits.size(), static_cast<int>(limit.count()));
  return waits[0].revents != 0;
}

std::optional<std::string> Connection::request() {
  std::string text;
  std::array<char, 65536> buffer;
  for (;;) {
    const std::size_t end = text.find("\r\n\r\n");
    if (end != text.npos && text.size() >= end + 4 + content_length(text.substr(0, end))) return text;
    if (!readable(kLimit)) return std::nullopt;
    const ssize_t got = ::recv(socket_, buffer.data(), buffer.size(), 0);
    if (got <= 0) return std::nullopt;
    text.append(buffer.data(), static_cast<std::size_t>(got));
  }
}

bool Connection::write(std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t sent = ::send(socket_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent <= 0) return false;
    bytes.remove_prefix(static_cast<std::size_t>(sent));
  }
  return true;
}

bool Connection::ended(std::chrono::milliseconds limit) {
  const auto deadline = std::chrono::steady_clock::now() + limit;
  std::array<char, 65536> buffer;
  for (;;) {
    const auto left =
        std::chrono::duration_cast<std::chrono::milliseconds>(deadline - std::chrono::steady_clock::now());
    if (left.count() <= 0 || !readable(left)) return false;
    if (::recv(socket_, buffer.data(), buffer.size(), 0) <= 0) return true;
  }
}

void Connection::finish() { ::shutdown(socket_, SHUT_WR); }

bool Connection::delivered(std::chrono::milliseconds limit) {
  return test_support::eventually(limit, [&] {
    tcp_info info{};
    socklen_t size = sizeof info;
    return ::getsockopt(socket_, IPPROTO_TCP, TCP_INFO, &info, &size) == 0 && info.tcpi_unacked == 0;
  });
}

void Connection::close() {
  if (socket_ >= 0) ::close(socket_);
  socket_ = -1;
}

void Connection::reset() {
  const linger now{1, 0};
  ::setsockopt(socket_, SOL_SOCKET, SO_LINGER, &now, sizeof now);
  close();
}

RawServer::RawServer(Script script)
    : script_(std::move(script)), listener_(::socket(AF_INET, SOCK_STREAM, 0)), stop_(::eventfd(0, 0)) {
  port_ = bind_any(listener_);
  ::listen(listener_, 512);
  acceptor_ = std::thread([this] { accept_all(); });
}

RawServer::~RawServer() {
  ::eventfd_write(stop_, 1);
  acceptor_.join();
  ::close(listener_);
  ::close(stop_);
}

void RawServer::accept_all() {
  std::list<std::jthread> threads;  // joined when this returns
  for (;;) {
    std::array<pollfd, 2> waits{pollfd{listener_, POLLIN, 0}, pollfd{stop_, POLLIN, 0}};
    ::poll(waits.data(), waits.size(), -1);
    if (waits[1].revents != 0) return;
    const int socket = ::accept(listener_, nullptr, nullptr);
    if (socket < 0) continue;
    threads.emplace_back([this, socket, number = ++connections_] {
      Connection connection(socket, stop_, number);
      script_(connection);
    });
  }
}

std::uint16_t closed_port() {
  const int socket = ::socket(AF_INET, SOCK_STREAM, 0);
  const std::uint16_t port = bind_any(socket);
  ::close(socket);
  return port;
}

std::string ok(std::string_view body) {
  return "HTTP/1.1 200 OK\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n" + std::string(body);
}

}  // namespace tests
