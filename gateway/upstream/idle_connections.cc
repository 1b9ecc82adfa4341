#include "gateway/upstream/idle_connections.h"

#include <sys/socket.h>

#include <algorithm>

namespace gateway::upstream {

namespace {

// After shutdown() the kernel answers new data with a reset; what had arrived is thrown away, so that libcurl's
// one-byte look sees the end and not data.
void kill_connection(int descriptor) {
  constexpr std::size_t kAtOnce = 1 << 20;
  ::shutdown(descriptor, SHUT_RDWR);
  while (::recv(descriptor, nullptr, kAtOnce, MSG_TRUNC | MSG_DONTWAIT) > 0) {
  }
}

}  // namespace

void IdleConnections::add(int descriptor) {
  remove(descriptor);
  sockets_.push_back({descriptor, POLLIN, 0});
}

void IdleConnections::remove(int descriptor) {
  std::erase_if(sockets_, [&](const pollfd& socket) { return socket.fd == descriptor; });
}

void IdleConnections::drop_unclean() {
  if (sockets_.empty() || ::poll(sockets_.data(), sockets_.size(), 0) <= 0) return;
  std::erase_if(sockets_, [](const pollfd& socket) {
    if (socket.revents != 0) kill_connection(socket.fd);
    return socket.revents != 0;
  });
}

}  // namespace gateway::upstream
