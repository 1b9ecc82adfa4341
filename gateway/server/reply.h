// Where an answer goes. A Reply is a small value that any thread may copy and keep; it names a connection by an id that
// is never reused, so an answer for a client that has left goes nowhere, and never to a stranger that got its
// descriptor. Exactly one answer is expected: one send(), send_prepared() or start()…end(). Dropping the last copy of a
// Reply without an answer sends 500 (a handler's bug must not hang its client). The server adds what framing needs
// (Content-Length or Transfer-Encoding, Connection), `Date` where missing, and leaves out the body for HEAD, 204 and
// 304. Answers leave in the order of their requests: a connection handles one request at a time.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "policies/fields.h"

namespace gateway::server {

struct Response {
  int status = 200;
  policies::Fields fields;                  // without framing fields
  std::shared_ptr<const std::string> body;  // null: none
};

// A body up to this size travels with its head in one buffer.
inline constexpr std::size_t kCopiedBody = 8 * 1024;

class Connection;  // the worker's side; private to gateway/server

class Reply {
 public:
  // Any thread. From another thread than the connection's worker the answer goes through the worker's queue.
  void send(Response response) const;

  // The hot path; only inside Handler::on_request. `head`: status line and fields, CRLF ended, Content-Length and Date
  // included, without the empty line; `extra`: more field lines, each CRLF ended. `body` is copied as it is given, or
  // kept alive until written: up to kCopiedBody bytes the copy is what both ways do.
  // A status line "HTTP/1.1 …" is right for a 1.0 client too (RFC 9110 section 6.2).
  void send_prepared(std::string_view head, std::string_view extra, std::string_view body) const;
  void send_prepared(std::string_view head, std::string_view extra, std::shared_ptr<const std::string> body) const;

  // The same from any thread; head and body lie in what `owner` owns, and the body is copied.
  void send_prepared(std::shared_ptr<const void> owner, std::string_view head, std::string extra,
                     std::string_view body) const;

  // A streamed answer: start, any number of write, end. Any thread, but one at a time. Chunked to HTTP/1.1, until close
  // to 1.0; a Content-Length among the head's fields is kept instead, and then that many bytes must follow. write()
  // answers false once more than Limits::unsent_bytes waits: the writer then holds back until `on_drain` is called (on
  // the worker's thread, each time again), and for good when the client has left. One that does not is cut at twice
  // that much. `unsent_bytes`: another limit than the server's; 0: the server's.
  void start(Response head, std::size_t unsent_bytes = 0) const;
  bool write(std::string chunk) const;
  void end() const;
  void abort() const;  // cuts the connection: the client must see that the stream is not whole
  void on_drain(std::function<void()> callback) const;

  // Called once on the worker's thread when the client leaves before its answer was written whole, not after abort().
  // Set it inside on_request. A Reply dropped after it closes the connection without a 500.
  void on_hang_up(std::function<void()> callback) const;

  // A slot for what the handler wants to keep with the connection (the access decision, for one). Only inside
  // on_request.
  std::shared_ptr<void>& connection_slot() const;

  // "127.0.0.1:4711", "[::1]:4711" or "unix"; only inside on_request.
  std::string_view peer() const;
  std::size_t worker() const;  // index of the connection's worker

 private:
  friend class Connection;
  struct State;
  explicit Reply(std::shared_ptr<State> state);
  template <typename Body>
  void prepared(std::string_view head, std::string_view extra, Body body) const;
  std::shared_ptr<State> state_;
};

}  // namespace gateway::server
