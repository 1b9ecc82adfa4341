// Says whatever a test wants to a Redis client, on the test's own io_context. The handshake (INFO, PING) is answered as
// Redis does; everything else by the test's function, which returns the bytes to send ("" for silence).
#pragma once

#include <asio/ip/tcp.hpp>
#include <asio/redirect_error.hpp>
#include <asio/write.hpp>

#include "tests/gateway/redis/harness.h"

namespace redis_test {

class FakeServer {
 public:
  using Answer = std::function<std::string(const std::string& request)>;

  FakeServer(asio::io_context& io, Answer answer) : shared_(std::make_shared<Shared>(io, std::move(answer))) {
    asio::co_spawn(io, accept(shared_), [](std::exception_ptr) {});
  }
  ~FakeServer() { shared_->acceptor.close(); }
  FakeServer(const FakeServer&) = delete;
  FakeServer& operator=(const FakeServer&) = delete;

  std::string url() const { return "redis://127.0.0.1:" + std::to_string(shared_->acceptor.local_endpoint().port()); }
  int accepted() const { return shared_->accepted; }
  // To each new connection, before it says anything.
  void greet_with(std::string text) { shared_->greeting = std::move(text); }

 private:
  using Socket = asio::ip::tcp::socket;
  struct Shared {
    Shared(asio::io_context& io, Answer given)
        : acceptor(io, asio::ip::tcp::endpoint(asio::ip::address_v4::loopback(), 0)), answer(std::move(given)) {}
    asio::ip::tcp::acceptor acceptor;
    Answer answer;
    std::string greeting;
    int accepted = 0;
  };

  static asio::awaitable<void> accept(std::shared_ptr<Shared> shared) {
    for (;;) {
      Socket socket = co_await shared->acceptor.async_accept(asio::use_awaitable);
      ++shared->accepted;
      asio::co_spawn(shared->acceptor.get_executor(), serve(shared, std::move(socket)), [](std::exception_ptr) {});
    }
  }

  static std::string bulk(const std::string& text) {
    return "$" + std::to_string(text.size()) + "\r\n" + text + "\r\n";
  }

  static std::string reply_to(Shared& shared, const std::string& request) {
    if (request.find("\r\nserver\r\n") != request.npos) return bulk("# Server\r\nrun_id:fake\r\n");
    if (request.find("\r\nreplication\r\n") != request.npos) return bulk("# Replication\r\nrole:master\r\n");
    if (request.find("\r\nPING\r\n") != request.npos) return "+PONG\r\n";
    return shared.answer(request);
  }

  static asio::awaitable<void> serve(std::shared_ptr<Shared> shared, Socket socket) {
    if (!shared->greeting.empty())
      co_await asio::async_write(socket, asio::buffer(shared->greeting), asio::use_awaitable);
    std::string request(65536, '\0');
    for (;;) {
      const auto size = co_await socket.async_read_some(asio::buffer(request), asio::use_awaitable);
      const std::string reply = reply_to(*shared, request.substr(0, size));
      co_await asio::async_write(socket, asio::buffer(reply), asio::use_awaitable);
    }
  }

  std::shared_ptr<Shared> shared_;
};

}  // namespace redis_test
