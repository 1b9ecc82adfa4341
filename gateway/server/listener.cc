#include "gateway/server/listener.h"

#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <memory>
#include <stdexcept>
#include <utility>

namespace gateway::server {

namespace {

constexpr int kBacklog = 4096;  // the kernel lowers it to net.core.somaxconn
constexpr std::string_view kUnix = "unix:";

// Whether a server answers on the socket file; if not, the file is left over from one that ended badly.
bool someone_answers(const sockaddr_un& address) {
  const int probe = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  const bool connected = ::connect(probe, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0;
  const bool busy = !connected && errno == EAGAIN;  // its backlog is full: it lives
  ::close(probe);
  return connected || busy;
}

}  // namespace

void Listener::fail(const std::string& reason) {
  if (fd_ >= 0) ::close(fd_);
  throw std::runtime_error("cannot listen on " + address_ + ": " + reason);
}

Listener::Listener(const std::string& address, int fd, bool owns_file) : fd_(fd), wanted_(address), address_(address) {
  ::fcntl(fd_, F_SETFL, O_NONBLOCK);
  own_file(owns_file);
  if (address.starts_with(kUnix)) return;
  set_tcp_options();
  fill_in_port();
}

void Listener::own_file(bool own) {
  path_ = own && address_.starts_with(kUnix) ? address_.substr(kUnix.size()) : std::string();
}

Listener::Listener(const std::string& address) : wanted_(address), address_(address) {
  if (address.starts_with(kUnix))
    bind_unix();
  else
    bind_tcp();
  if (::listen(fd_, kBacklog) != 0) fail(std::strerror(errno));
  if (!address.starts_with(kUnix)) fill_in_port();
}

Listener::Listener(Listener&& other) noexcept
    : fd_(std::exchange(other.fd_, -1)),
      wanted_(std::move(other.wanted_)),
      address_(std::move(other.address_)),
      path_(std::exchange(other.path_, {})) {}

Listener::~Listener() {
  if (!path_.empty()) ::unlink(path_.c_str());
  if (fd_ >= 0) ::close(fd_);
}

void Listener::bind_unix() {
  const auto path = address_.substr(kUnix.size());
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.empty() || path.size() >= sizeof address.sun_path) fail("the path must have 1 to 107 bytes");
  std::memcpy(address.sun_path, path.data(), path.size());
  struct stat file {};
  if (::lstat(path.c_str(), &file) == 0) {
    if (!S_ISSOCK(file.st_mode)) fail("the file exists and is no socket");
    if (someone_answers(address)) fail("another process listens there");
    ::unlink(path.c_str());
  }
  fd_ = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (fd_ < 0 || ::bind(fd_, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0)
    fail(std::strerror(errno));
  path_ = path;
}

void Listener::bind_tcp() {
  const auto colon = address_.rfind(':');
  if (colon == std::string::npos || colon + 1 == address_.size()) fail("want HOST:PORT, [HOST]:PORT or unix:PATH");
  auto host = address_.substr(0, colon);
  const auto port = address_.substr(colon + 1);
  if (host.size() > 2 && host.front() == '[' && host.back() == ']')
    host = host.substr(1, host.size() - 2);
  else if (host.find(':') != std::string::npos)
    fail("an IPv6 address needs brackets: [HOST]:PORT");
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_PASSIVE | AI_NUMERICSERV;
  addrinfo* list = nullptr;
  const int resolved = host.empty() ? EAI_NONAME : ::getaddrinfo(host.c_str(), port.c_str(), &hints, &list);
  if (resolved != 0) fail(::gai_strerror(resolved));
  const std::unique_ptr<addrinfo, decltype(&::freeaddrinfo)> owner(list, ::freeaddrinfo);
  fd_ = ::socket(list->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (fd_ < 0) fail(std::strerror(errno));
  const int on = 1;
  const int off = 0;
  ::setsockopt(fd_, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  set_tcp_options();
  if (list->ai_family == AF_INET6) ::setsockopt(fd_, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof off);
  if (::bind(fd_, list->ai_addr, list->ai_addrlen) != 0) fail(std::strerror(errno));
}

void Listener::set_tcp_options() const {
  const int on = 1;
  ::setsockopt(fd_, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);  // accepted sockets inherit it
}

void Listener::fill_in_port() {
  sockaddr_storage bound{};
  socklen_t size = sizeof bound;
  ::getsockname(fd_, reinterpret_cast<sockaddr*>(&bound), &size);
  const auto port = bound.ss_family == AF_INET ? reinterpret_cast<sockaddr_in&>(bound).sin_port
                                               : reinterpret_cast<sockaddr_in6&>(bound).sin6_port;
  address_ = address_.substr(0, address_.rfind(':') + 1) + std::to_string(ntohs(port));
}

}  // namespace gateway::server
