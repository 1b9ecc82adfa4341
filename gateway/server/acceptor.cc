#include "gateway/server/acceptor.h"

#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>

namespace gateway::server {

namespace {

constexpr int kBackOffMilliseconds = 50;  // between tries while the system has no room
constexpr int kAtOnce = 64;               // then the other listeners are looked at
constexpr int kAtEnd = 4096;              // what a backlog can hold

int open_spare() { return ::open("/dev/null", O_RDONLY | O_CLOEXEC); }

}  // namespace

Acceptor::Acceptor(std::vector<Listener> listeners, Accepted accepted)
    : listeners_(std::move(listeners)), accepted_(std::move(accepted)) {}

void Acceptor::start() {
  wake_ = ::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  if (wake_ < 0) throw std::system_error(errno, std::generic_category(), "eventfd");
  spare_ = open_spare();
  thread_ = std::thread([this] {
    ::pthread_setname_np(::pthread_self(), "acceptor");
    run();
  });
}

void Acceptor::stop() {
  if (thread_.joinable()) {
    stopping_ = true;
    ::eventfd_write(wake_, 1);
    thread_.join();
    ::close(wake_);
    if (spare_ >= 0) ::close(spare_);
  }
  listeners_.clear();
}

void Acceptor::run() {
  std::vector<pollfd> fds;
  for (const auto& listener : listeners_) fds.push_back({listener.fd(), POLLIN, 0});
  fds.push_back({wake_, POLLIN, 0});
  do {
    starved_ = false;
    ::poll(fds.data(), fds.size(), -1);
    for (const auto& listener : listeners_) accept_all(listener.fd());
    // Waits on the wake descriptor alone, so that a stop is not held up.
    if (starved_) ::poll(&fds.back(), 1, kBackOffMilliseconds);
  } while (!stopping_);
}

void Acceptor::accept_all(int listener) {
  for (int left = stopping_ ? kAtEnd : kAtOnce; left > 0; --left) {
    const int fd = ::accept4(listener, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (fd >= 0) {
      accepted_(fd);
      continue;
    }
    if (errno == EAGAIN || errno == EWOULDBLOCK) return;
    const bool full = errno == EMFILE || errno == ENFILE;
    if (full && shed(listener)) continue;
    if (full || errno == ENOBUFS || errno == ENOMEM) {
      starved_ = true;
      return;
    }
    // ECONNABORTED and network errors belong to that one connection (accept(2)).
  }
}

// Out of descriptors: one kept in reserve is given up for a moment, to accept a connection and close it. Else the
// clients in the kernel's queue would wait for nothing.
bool Acceptor::shed(int listener) {
  if (spare_ < 0 || stopping_) return false;
  ::close(spare_);
  const int fd = ::accept4(listener, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
  if (fd >= 0) ::close(fd);
  spare_ = open_spare();
  return fd >= 0;
}

}  // namespace gateway::server
