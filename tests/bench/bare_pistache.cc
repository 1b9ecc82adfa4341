// The bare shape of the gateway's edge: Pistache's reactor and transport, http-parser, one ::send of the same bytes for
// each request, and not one check. What the gateway costs above it is what the product does.
//   bare-pistache PORT BODY_BYTES
#include <arpa/inet.h>
#include <http_parser.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <pistache/peer.h>
#include <pistache/reactor.h>
#include <pistache/tcp.h>
#include <pistache/transport.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <memory>
#include <string>
#include <unordered_map>

#include "tests/bench/constant_answer.h"

namespace {

using namespace Pistache;

std::string bytes;

struct Connection {
  http_parser parser{};
  std::string out;
  Connection() {
    http_parser_init(&parser, HTTP_REQUEST);
    parser.data = this;
  }
};

http_parser_settings parser_settings() {
  http_parser_settings settings;
  http_parser_settings_init(&settings);
  settings.on_message_complete = [](http_parser* parser) {
    static_cast<Connection*>(parser->data)->out += bytes;
    return 0;
  };
  return settings;
}
const http_parser_settings kSettings = parser_settings();

class Answers : public Tcp::Handler {
 public:
  PROTOTYPE_OF(Tcp::Handler, Answers)
  Answers() = default;
  Answers(const Answers&) : Tcp::Handler() {}
  void onConnection(const std::shared_ptr<Tcp::Peer>& peer) override {
    connections_[peer.get()] = std::make_unique<Connection>();
  }
  void onDisconnection(const std::shared_ptr<Tcp::Peer>& peer) override { connections_.erase(peer.get()); }
  void onInput(const char* input, std::size_t length, const std::shared_ptr<Tcp::Peer>& peer) override {
    Connection& connection = *connections_[peer.get()];
    http_parser_execute(&connection.parser, &kSettings, input, length);
    std::size_t sent = 0;
    while (sent < connection.out.size()) {
      const ssize_t some = ::send(peer->fd(), connection.out.data() + sent, connection.out.size() - sent, MSG_NOSIGNAL);
      if (some > 0)
        sent += static_cast<std::size_t>(some);
      else if (errno != EAGAIN)
        break;
    }
    connection.out.clear();
  }

 private:
  std::unordered_map<const Tcp::Peer*, std::unique_ptr<Connection>> connections_;
};

int listening_socket(int port) {
  const int listener = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const int on = 1;
  ::setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<std::uint16_t>(port));
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (::bind(listener, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0 || ::listen(listener, 4096) != 0) {
    std::perror("bare-pistache");
    std::exit(1);
  }
  return listener;
}

}  // namespace

int main(int count, char** arguments) {
  if (count != 3) return std::fprintf(stderr, "usage: bare-pistache PORT BODY_BYTES\n"), 2;
  bytes = bench::constant_answer(std::strtoul(arguments[2], nullptr, 10));
  const int listener = listening_socket(std::atoi(arguments[1]));
  auto reactor = Aio::Reactor::create();
  reactor->init(Aio::AsyncContext(1, "bare"));
  const auto key = reactor->addHandler(std::make_shared<Tcp::Transport>(std::make_shared<Answers>()));
  reactor->run();
  const auto transport = std::static_pointer_cast<Tcp::Transport>(reactor->handlers(key)[0]);
  for (;;) {
    const int socket = ::accept4(listener, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (socket < 0) continue;
    const int on = 1;
    ::setsockopt(socket, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    transport->handleNewPeer(Tcp::Peer::Create(socket, Address(Ipv4::loopback(), Port(0))));
  }
}
