#include "gateway/lifecycle/inherited.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <cstddef>
#include <cstdlib>
#include <cstring>
#include <stdexcept>

#include "gateway/lifecycle/take_over.h"

namespace gateway::lifecycle {

namespace {

constexpr int kFirstOfSystemd = 3;  // SD_LISTEN_FDS_START

std::string take_variable(const char* name) {
  const char* value = std::getenv(name);
  std::string text = value == nullptr ? "" : value;
  ::unsetenv(name);
  return text;
}

std::vector<std::string> split(const std::string& text, char separator) {
  std::vector<std::string> parts;
  for (std::size_t at = 0; at < text.size();) {
    const auto end = std::min(text.find(separator, at), text.size());
    parts.push_back(text.substr(at, end - at));
    at = end + 1;
  }
  return parts;
}

int number(const std::string& text) {
  int value = -1;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  return error == std::errc{} && end == text.data() + text.size() ? value : -1;
}

void keep_to_ourselves(int fd) { ::fcntl(fd, F_SETFD, FD_CLOEXEC); }

}  // namespace

std::string bound_address(int fd) {
  union {
    sockaddr any;
    sockaddr_in v4;
    sockaddr_in6 v6;
    sockaddr_un local;
  } address{};
  socklen_t size = sizeof address;
  if (::getsockname(fd, &address.any, &size) != 0) return "";
  char host[INET6_ADDRSTRLEN] = "";
  switch (address.any.sa_family) {
    case AF_INET:
      ::inet_ntop(AF_INET, &address.v4.sin_addr, host, sizeof host);
      return std::string(host) + ":" + std::to_string(ntohs(address.v4.sin_port));
    case AF_INET6:
      ::inet_ntop(AF_INET6, &address.v6.sin6_addr, host, sizeof host);
      return "[" + std::string(host) + "]:" + std::to_string(ntohs(address.v6.sin6_port));
    case AF_UNIX:
      return "unix:" + std::string(address.local.sun_path);
    default:
      return "";
  }
}

Inherited::Inherited() {
  read_predecessor();
  read_systemd();
}

void Inherited::add(Socket socket) {
  int listening = 0;
  socklen_t size = sizeof listening;
  if (::getsockopt(socket.fd, SOL_SOCKET, SO_ACCEPTCONN, &listening, &size) != 0 || listening == 0)
    throw std::runtime_error("descriptor " + std::to_string(socket.fd) + " that was passed to this process is no " +
                             "listening stream socket");
  keep_to_ourselves(socket.fd);
  sockets_.push_back(std::move(socket));
}

void Inherited::read_predecessor() {
  for (const auto& line : split(take_variable(TakeOver::kSockets), '\n')) {
    const auto comma = line.find(','), second = line.find(',', comma + 1);
    if (second == std::string::npos) throw std::runtime_error(std::string(TakeOver::kSockets) + " is malformed");
    add({number(line.substr(0, comma)), line.substr(second + 1), "",
         line.substr(comma + 1, second - comma - 1) == "1"});
  }
  ready_ = number(take_variable(TakeOver::kReady));
  predecessor_ = number(take_variable(TakeOver::kPredecessor));
  for (const int fd : {ready_, predecessor_})
    if (fd >= 0) keep_to_ourselves(fd);
}

void Inherited::read_systemd() {
  const int pid = number(take_variable("LISTEN_PID")), count = number(take_variable("LISTEN_FDS"));
  const auto names = split(take_variable("LISTEN_FDNAMES"), ':');
  if (pid != ::getpid()) return;
  for (int i = 0; i < count; ++i) {
    const auto index = static_cast<std::size_t>(i);
    add({kFirstOfSystemd + i, "", index < names.size() ? names[index] : "", false});
  }
}

std::vector<server::AdoptedSocket> Inherited::take(const std::string& name, const std::string& address) {
  std::vector<server::AdoptedSocket> taken;
  for (auto socket = sockets_.begin(); socket != sockets_.end();) {
    const bool systemd = socket->address.empty();
    const bool ours =
        systemd ? socket->name == name || bound_address(socket->fd) == address : socket->address == address;
    if (ours && taken.empty()) {
      taken.push_back({address, socket->fd, socket->owns_file});
      socket = sockets_.erase(socket);
    } else {
      ++socket;
    }
  }
  return taken;
}

std::vector<std::string> Inherited::close_rest() {
  std::vector<std::string> closed;
  for (const Socket& socket : sockets_) {
    closed.push_back(bound_address(socket.fd));
    ::close(socket.fd);
  }
  sockets_.clear();
  return closed;
}

void Inherited::forget_predecessor() {
  ::close(predecessor_);
  predecessor_ = -1;
}

void Inherited::tell_ready() {
  if (ready_ < 0) return;
  (void)!::write(ready_, "1", 1);
  ::close(ready_);
  ready_ = -1;
}

void notify(const std::string& state) {
  const char* path = std::getenv("NOTIFY_SOCKET");
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path == nullptr || std::strlen(path) >= sizeof address.sun_path) return;
  const std::size_t length = std::strlen(path);
  std::memcpy(address.sun_path, path, length);
  if (path[0] == '@') address.sun_path[0] = '\0';  // the abstract name space
  const int fd = ::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  if (fd < 0) return;
  ::sendto(fd, state.data(), state.size(), MSG_NOSIGNAL, reinterpret_cast<const sockaddr*>(&address),
           static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + length));
  ::close(fd);
}

}  // namespace gateway::lifecycle
