// An HTTP/1.1 server (RFC 9112) on Pistache's reactor: an acceptor of our own and N workers, each the only thread that
// touches its connections. Used for the public address, the admin address and the simulator.
//
// Threads: one owner constructs, starts, drains, stops and destroys a server, never from a handler; addresses() and
// connections() may be called by any thread. Handlers run on their worker and must not block.
//
// A request that breaks the protocol or a limit is answered by the server itself with a problem body (problem.h) and
// `Connection: close`. What follows the last answer is read and thrown away for Limits::linger_timeout, so that a
// client that still sends gets its answer and not a reset.
//
// With a TLS context every address speaks TLS. Handshakes have threads of their own (handshakes.h) and a time limit; a
// connection reaches its worker when its handshake is over. A client that speaks plain HTTP is answered 400 and closed.
//
// A client that closes and one that only stops sending (shutdown) look alike: a FIN. While a request is being answered
// it is taken for hanging up, as nginx does: Reply::on_hang_up is called. If the handler answers all the same, the
// answer is written. A FIN that arrives with the request or before it does not count: `printf … | nc` gets its answer.
#pragma once

#include <atomic>
#include <chrono>
#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "gateway/server/handshakes.h"
#include "gateway/server/reply.h"
#include "gateway/server/request.h"
#include "gateway/server/tls.h"

namespace gateway::server {

// One for each worker, made by the factory on start; called only from that worker's thread.
class Handler {
 public:
  virtual ~Handler() = default;
  virtual void on_request(const RequestView& request, Reply reply) = 0;
  // The server is about to answer for itself: it refused the bytes (400, 408, 413, 414, 431, 501 …), or nobody answered
  // a request (500). For metrics and the log; fields may be added to `answer`.
  virtual void on_refused(Response& answer, std::string_view reason) { (void)answer, (void)reason; }
};
using HandlerFactory = std::function<std::unique_ptr<Handler>(std::size_t worker)>;

struct Limits {
  std::size_t header_bytes = 32 * 1024;                 // request line and fields; 431 above
  std::size_t target_bytes = 8 * 1024;                  // 414 above
  std::size_t body_bytes = 10 * 1024 * 1024;            // decoded; 413 above, at once where Content-Length announces it
  std::size_t connections = 20'000;                     // over all workers; one more is answered 503 and closed
  std::size_t unsent_bytes = 16 * 1024 * 1024;          // of a stream; above, Reply::write says false; above twice, cut
  std::size_t handshakes = 12'000;                      // unfinished ones; one more displaces the oldest
  std::chrono::milliseconds handshake_timeout{10'000};  // from accept to the end of the TLS handshake: closed
  std::chrono::milliseconds header_timeout{10'000};  // from a request's first byte to the end of its header block: 408
  std::chrono::milliseconds body_timeout{30'000};    // for the body after that: 408
  std::chrono::milliseconds idle_timeout{75'000};    // keep-alive without a request: closed
  std::chrono::milliseconds write_timeout{30'000};   // unsent bytes and no progress: closed
  std::chrono::milliseconds linger_timeout{2'000};   // after the last answer, for the client to close its side
  // While true, bodies that have not come with their head are refused with 503 before they are read. Outlives the
  // server; null: never.
  const std::atomic<bool>* refuse_bodies = nullptr;
};

// A listening socket that this process was started with, for one of Options' addresses.
struct AdoptedSocket {
  std::string address;  // as in Options
  int fd = -1;
  bool owns_file = false;  // a unix socket's file is this gateway's to remove
};

struct Options {
  std::string name;                    // thread names and problem bodies: "contacts-gateway"
  std::vector<std::string> addresses;  // "127.0.0.1:8080", "[::]:8080", "unix:PATH"; port 0 picks a free one
  std::size_t threads = 1;
  Limits limits;
  std::vector<AdoptedSocket> adopted{};                             // instead of binding those addresses
  std::shared_ptr<const TlsContext> tls{};                          // null: plain
  std::function<void(std::string_view why)> on_handshake_failed{};  // on a handshake thread; for the log
};

class Server {
 public:
  // Binds and listens; throws std::runtime_error naming the address and the reason when it cannot.
  Server(Options options, HandlerFactory factory);
  ~Server();  // stops at once
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  void start();
  std::vector<std::string> addresses() const;  // as bound, ports filled in
  std::size_t connections() const;

  // For handing them to another process, which goes on accepting when this server has stopped. Owner's thread, before
  // drain() and stop(). A unix socket's file is removed by the one that owns it at its end.
  std::vector<AdoptedSocket> sockets() const;
  void own_socket_files(bool own);

  std::uint64_t handshakes(HandshakeResult result) const;  // so far; any thread

  // What clients that come from now on are shown; only where Options had a context. Any thread.
  void set_tls(std::shared_ptr<const TlsContext> context);

  // Stops accepting; lets requests in flight finish (answers say `Connection: close`); answers true when all ended in
  // time. An idle connection may be just about to send: it is kept for one more request, `idle` at most (no less than
  // a second), and what it has sent by then is still served. With 0 idle connections are closed at once.
  bool drain(std::chrono::milliseconds limit, std::chrono::milliseconds idle = std::chrono::milliseconds{0});
  void stop();  // closes everything and joins the threads

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace gateway::server
