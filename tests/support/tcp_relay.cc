#include "tests/support/tcp_relay.h"

#include <arpa/inet.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <stdexcept>

#include "tests/support/loopback.h"

namespace test_support {
namespace {

// Blocking is right here: what one side does not take, the other has to wait for.
bool send_all(int to, const std::string& bytes) {
  for (std::size_t sent = 0; sent < bytes.size();) {
    const ssize_t part = ::send(to, bytes.data() + sent, bytes.size() - sent, MSG_NOSIGNAL);
    if (part <= 0) return false;
    sent += static_cast<std::size_t>(part);
  }
  return true;
}

}  // namespace

TcpRelay::TcpRelay(std::uint16_t to_port) : to_port_(to_port) {
  listener_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address = loopback(0);
  socklen_t size = sizeof address;
  if (::bind(listener_, reinterpret_cast<sockaddr*>(&address), size) != 0 || ::listen(listener_, 64) != 0 ||
      ::getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &size) != 0 || ::pipe(wake_) != 0)
    throw std::runtime_error("no relay");
  port_ = ntohs(address.sin_port);
  thread_ = std::thread([this] { run(); });
}

TcpRelay::~TcpRelay() {
  ending_ = true;
  set(Mode::Refuse);
  thread_.join();
  for (const int fd : {listener_, wake_[0], wake_[1]}) ::close(fd);
}

void TcpRelay::set(Mode mode) {
  mode_ = mode;
  (void)!::write(wake_[1], "", 1);
}

void TcpRelay::run() {
  while (!ending_) turn();
  for (const auto& pipe : pipes_) ::close(pipe.client), ::close(pipe.server);
}

void TcpRelay::turn() {
  const Mode waited_in = mode_;
  const short bytes = waited_in == Mode::Hold ? 0 : POLLIN, answers = waited_in == Mode::HoldAnswers ? 0 : bytes;
  std::vector<pollfd> ready{{wake_[0], POLLIN, 0}, {listener_, POLLIN, 0}};
  for (const auto& pipe : pipes_) ready.insert(ready.end(), {{pipe.client, bytes, 0}, {pipe.server, answers, 0}});
  if (::poll(ready.data(), ready.size(), -1) < 0) return;

  char drained[64];
  if (ready[0].revents != 0) (void)!::read(wake_[0], drained, sizeof drained);
  const Mode mode = mode_;
  for (std::size_t i = 0; i < pipes_.size(); ++i) {
    auto& pipe = pipes_[i];
    if (mode == Mode::Refuse) pipe.over = true;
    if (mode == Mode::Hold) pipe.over = pipe.over || ((ready[2 + 2 * i].revents | ready[3 + 2 * i].revents) & POLLERR);
    if (mode == Mode::Refuse || mode == Mode::Hold) continue;
    if (ready[2 + 2 * i].revents != 0) pipe.over = pipe.over || !carry(pipe.client, pipe.server, false);
    if (mode == Mode::HoldAnswers && (ready[3 + 2 * i].revents & POLLERR) == 0) continue;
    if (ready[3 + 2 * i].revents != 0) pipe.over = pipe.over || !carry(pipe.server, pipe.client, true);
  }
  std::erase_if(pipes_, [](const Pipe& pipe) {
    if (pipe.over) ::close(pipe.client), ::close(pipe.server);
    return pipe.over;
  });
  if (ready[1].revents != 0) accept();
}

void TcpRelay::accept() {
  const int client = ::accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
  if (client < 0) return;
  const int server = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const sockaddr_in address = loopback(to_port_);
  const bool through =
      mode_ != Mode::Refuse && ::connect(server, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0;
  if (through) {
    pipes_.push_back({client, server});
    return;
  }
  ::close(client);
  ::close(server);
}

bool TcpRelay::carry(int from, int to, bool answers) {
  std::string bytes(16'384, '\0');
  const ssize_t size = ::recv(from, bytes.data(), bytes.size(), 0);
  if (size <= 0) return false;
  bytes.resize(static_cast<std::size_t>(size));
  const bool garbled = answers && mode_ == Mode::Garble && garble(bytes);
  return send_all(to, bytes) && !garbled;
}

// Never a well-formed lie, which no client of Redis could tell from the truth: noise from some place on, a type of
// reply that nobody asked for, or an error; and then nothing more on this connection, or the replies that follow would
// be taken for those of other commands.
bool TcpRelay::garble(std::string& bytes) {
  switch (random_() % 40) {
    case 0: {
      const std::size_t from = random_() % bytes.size();
      std::generate(bytes.begin() + static_cast<std::ptrdiff_t>(from), bytes.end(),
                    [&] { return static_cast<char>(0x80 | random_() % 128); });
      break;
    }
    case 1:
      bytes = "*-7\r\n$abc\r\n";
      break;
    case 2:
      bytes = "-ERR nothing of the sort\r\n";
      break;
    case 3:
      bytes = "$3\r\nyes\r\n";
      break;
    default:
      return false;
  }
  return true;
}

}  // namespace test_support
