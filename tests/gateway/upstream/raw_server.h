// A TCP server that does to each connection what a test's script says, rightly or wrongly; one thread a connection.
// It writes bytes, not HTTP: the tests spell their answers out. Every wait has a limit of 10 s and ends with the
// server.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <thread>

namespace tests {

class Connection {
 public:
  Connection(int socket, int stop, int number) : socket_(socket), stop_(stop), number_(number) {}
  ~Connection() { close(); }
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  int number() const { return number_; }  // 1 for the first that was accepted
  std::optional<std::string> request();   // head and body (by Content-Length); nothing at the end of the connection
  bool write(std::string_view bytes);
  bool readable(std::chrono::milliseconds limit);   // false also when the server stops
  bool ended(std::chrono::milliseconds limit);      // true when the client closes; what it sends until then is dropped
  void finish();                                    // no more bytes from here (FIN)
  bool delivered(std::chrono::milliseconds limit);  // true once the client's kernel has everything, a FIN too
  void close();
  void reset();  // close with RST

 private:
  int socket_;
  int stop_;
  int number_;
};

class RawServer {
 public:
  using Script = std::function<void(Connection&)>;

  explicit RawServer(Script script);
  ~RawServer();
  RawServer(const RawServer&) = delete;
  RawServer& operator=(const RawServer&) = delete;

  std::uint16_t port() const { return port_; }
  std::string url() const { return "http://127.0.0.1:" + std::to_string(port_); }
  int connections() const { return connections_; }

 private:
  void accept_all();

  Script script_;
  int listener_;
  int stop_;
  std::uint16_t port_ = 0;
  std::atomic<int> connections_{0};
  std::thread acceptor_;
};

std::uint16_t closed_port();  // nothing listens there

// "HTTP/1.1 200 OK", Content-Length and the body.
std::string ok(std::string_view body);

}  // namespace tests
