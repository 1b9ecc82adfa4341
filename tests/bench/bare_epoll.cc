// The limit: one thread, one epoll, no parser. Each end of a header block in what arrives is answered with the same
// bytes.
//   bare-epoll PORT BODY_BYTES
// Also the bench's upstream. It answers GET requests of well-behaved loaders only, and cuts a reader that is too slow.
#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>
#include <unordered_map>

#include "tests/bench/constant_answer.h"

namespace {

int listening_socket(int port) {
  const int listener = ::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  const int on = 1;
  ::setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<std::uint16_t>(port));
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (::bind(listener, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0 || ::listen(listener, 4096) != 0) {
    std::perror("bare-epoll");
    std::exit(1);
  }
  return listener;
}

void watch(int poller, int socket) {
  epoll_event event{};
  event.events = EPOLLIN;
  event.data.fd = socket;
  ::epoll_ctl(poller, EPOLL_CTL_ADD, socket, &event);
}

// Whether the connection goes on.
bool answer(int socket, std::string& kept, const std::string& bytes) {
  char buffer[16384];
  const ssize_t got = ::recv(socket, buffer, sizeof buffer, 0);
  if (got <= 0) return false;
  std::string_view input(buffer, static_cast<std::size_t>(got));
  if (!kept.empty()) input = kept.append(input);
  std::size_t used = 0;
  for (std::size_t end; (end = input.find("\r\n\r\n", used)) != std::string_view::npos; used = end + 4) {
    std::string_view rest(bytes);
    while (!rest.empty()) {
      const ssize_t sent = ::send(socket, rest.data(), rest.size(), MSG_NOSIGNAL);
      if (sent <= 0) return false;
      rest.remove_prefix(static_cast<std::size_t>(sent));
    }
  }
  kept = std::string(input.substr(used));
  return true;
}

}  // namespace

int main(int count, char** arguments) {
  if (count != 3) return std::fprintf(stderr, "usage: bare-epoll PORT BODY_BYTES\n"), 2;
  const std::string bytes = bench::constant_answer(std::strtoul(arguments[2], nullptr, 10));
  const int listener = listening_socket(std::atoi(arguments[1]));
  const int poller = ::epoll_create1(EPOLL_CLOEXEC);
  watch(poller, listener);
  std::unordered_map<int, std::string> kept;
  std::array<epoll_event, 256> events;
  for (;;) {
    const int ready = ::epoll_wait(poller, events.data(), static_cast<int>(events.size()), -1);
    for (int i = 0; i < ready; ++i) {
      const int socket = events[static_cast<std::size_t>(i)].data.fd;
      if (socket == listener) {
        for (int peer; (peer = ::accept4(listener, nullptr, nullptr, SOCK_CLOEXEC)) >= 0;) {
          const int on = 1;
          ::setsockopt(peer, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
          kept[peer].clear();
          watch(poller, peer);
        }
      } else if (!answer(socket, kept[socket], bytes)) {
        kept.erase(socket);
        ::close(socket);
      }
    }
  }
}
