// Pooling, what is never done twice, cancellation, and what happens before a request is sent.
#include <doctest/doctest.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <asio/experimental/awaitable_operators.hpp>
#include <asio/posix/stream_descriptor.hpp>
#include <asio/steady_timer.hpp>
#include <future>
#include <thread>

#include "tests/gateway/upstream/asking.h"
#include "tests/support/eventually.h"
#include "tests/support/loopback.h"

using gateway::upstream::Outcome;
using gateway::upstream::Request;
using tests::Asking;
using tests::body_of;
using tests::Connection;
using tests::ok;
using tests::RawServer;
using tests::verdict;
using namespace std::chrono_literals;

namespace {

Request post() { return {"POST", "/contacts/", {}, std::make_shared<const std::string>("{}"), {}}; }

// localhost as two addresses: on 127.0.0.1 nobody accepts or refuses (the queue is full), on ::1 one request is
// answered.
class TwoAddresses {
 public:
  TwoAddresses() {
    sockaddr_in silent = test_support::loopback(0);
    const auto* address = reinterpret_cast<const sockaddr*>(&silent);
    const int full = open(AF_INET, SOCK_NONBLOCK);
    socklen_t size = sizeof silent;
    REQUIRE(::bind(full, address, size) == 0);
    REQUIRE(::listen(full, 0) == 0);
    REQUIRE(::getsockname(full, reinterpret_cast<sockaddr*>(&silent), &size) == 0);
    for (int i = 0; i < 4; ++i) ::connect(open(AF_INET, SOCK_NONBLOCK), address, size);
    port_ = ntohs(silent.sin_port);

    sockaddr_in6 other{};
    other.sin6_family = AF_INET6;
    other.sin6_addr = in6addr_loopback;
    other.sin6_port = silent.sin_port;
    answering_ = open(AF_INET6, 0);
    there_ = ::bind(answering_, reinterpret_cast<const sockaddr*>(&other), sizeof other) == 0 &&
             ::listen(answering_, 1) == 0;
    if (there_) server_ = std::thread([this] { answer(); });
  }
  ~TwoAddresses() {
    if (there_) ::shutdown(answering_, SHUT_RDWR);
    if (server_.joinable()) server_.join();
    for (const int socket : sockets_) ::close(socket);
  }
  bool there() const { return there_; }
  std::string url() const { return "http://localhost:" + std::to_string(port_); }

 private:
  int open(int family, int flags) {
    return sockets_.emplace_back(::socket(family, SOCK_STREAM | SOCK_CLOEXEC | flags, 0));
  }
  void answer() {
    const int socket = ::accept4(answering_, nullptr, nullptr, SOCK_CLOEXEC);
    char request[4096];
    if (socket < 0) return;
    if (::recv(socket, request, sizeof request, 0) > 0)
      ::send(socket, ok("here").data(), ok("here").size(), MSG_NOSIGNAL);
    while (::recv(socket, request, sizeof request, 0) > 0) {
    }
    ::close(socket);
  }

  std::vector<int> sockets_;
  int answering_ = -1;
  std::uint16_t port_ = 0;
  bool there_ = false;
  std::thread server_;
};

// "connection.request on it", so that reuse can be seen.
void count(Connection& connection) {
  for (int i = 1; connection.request(); ++i)
    connection.write(ok(std::to_string(connection.number()) + "." + std::to_string(i)));
}

}  // namespace

TEST_SUITE("upstream connections") {
  TEST_CASE("requests one after another share a connection, and the outcome says so") {
    RawServer server(count);
    Asking asking(server.url());
    const auto first = asking.get();
    const auto second = asking.send(post());
    CHECK(body_of(first) == "1.1");
    CHECK_FALSE(first.reused_connection);
    CHECK(body_of(second) == "1.2");
    CHECK(second.reused_connection);
    CHECK(server.connections() == 1);
  }

  TEST_CASE("after Connection: close, and after an answer that ends with the connection, another is opened") {
    for (const char* head :
         {"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 1\r\n\r\nx", "HTTP/1.1 200 OK\r\n\r\nx"}) {
      RawServer server([&](Connection& connection) {
        connection.request();
        connection.write(head);
      });
      Asking asking(server.url());
      CHECK(body_of(asking.get()) == "x");
      CHECK(body_of(asking.get()) == "x");
      CHECK(server.connections() == 2);
    }
  }

  TEST_CASE("200 requests at once are all answered with their own answer, on no more connections than allowed") {
    RawServer server([](Connection& connection) {
      while (const auto request = connection.request())
        connection.write(ok(request->substr(4, request->find(" HTTP") - 4)));
    });
    Asking asking({.base_url = server.url(), .connections = 20});
    for (int round = 0; round < 2; ++round) {
      std::vector<Request> requests;
      for (int i = 0; i < 200; ++i) requests.push_back({"GET", "/" + std::to_string(i), {}, nullptr, {}});
      const auto outcomes = asking.send_all(std::move(requests));
      int right = 0;
      for (std::size_t i = 0; i < outcomes.size(); ++i) right += body_of(outcomes[i]) == "/" + std::to_string(i);
      CHECK(right == 200);
    }
    CHECK(server.connections() <= 20);
    CHECK(asking.client->in_flight() == 0);
  }

  TEST_CASE("a request that waits for a connection runs into its time limit, unsent") {
    RawServer server([](Connection& connection) {
      connection.request();
      connection.ended(10s);
    });
    Asking asking({.base_url = server.url(), .timeout = 100ms, .connections = 1});
    Request hurried = post();
    hurried.timeout = 50ms;
    const auto outcomes = asking.send_all({post(), hurried});
    CHECK(verdict(outcomes[0]) == "timeout");
    CHECK(verdict(outcomes[1]) == "connect_timeout");
    CHECK(test_support::eventually(5s, [&] { return server.connections() > 0; }));  // its acceptor may be late
    CHECK(server.connections() == 1);
  }

  TEST_CASE("a reused connection that closes after reading the request fails it once; nothing is sent again") {
    for (const bool reset : {false, true})
      for (const char* method : {"POST", "GET", "PUT", "DELETE"}) {
        std::atomic<int> applied = 0;
        RawServer server([&](Connection& connection) {
          connection.request();
          connection.write(ok("first"));
          if (!connection.request()) return;
          ++applied;
          if (reset) connection.reset();
        });
        Asking asking(server.url());
        for (const bool with_body : {true, false}) {
          CAPTURE(method);
          applied = 0;
          CHECK(body_of(asking.get()) == "first");
          const auto outcome =
              asking.send({method, "/", {}, with_body ? std::make_shared<const std::string>("{}") : nullptr, {}});
          CHECK(verdict(outcome) == "reset");
          CHECK(outcome.reused_connection);
          CHECK(applied == 1);
        }
        CHECK(server.connections() == 2);
      }
  }

  TEST_CASE("an idle connection that ended, or on which bytes arrived unasked, is not used again") {
    for (const char* unasked : {"", "HTTP/1.1 408 Request Timeout\r\nContent-Length: 4\r\n\r\nlate", "x"}) {
      std::promise<void> idle, delivered;
      RawServer server([&](Connection& connection) {
        connection.request();
        connection.write(ok(std::to_string(connection.number())));
        if (connection.number() == 1) {
          idle.get_future().wait();
          connection.write(unasked);
          if (*unasked == '\0') connection.finish();
          connection.delivered(5s);
          delivered.set_value();
        }
        connection.ended(10s);
      });
      Asking asking(server.url());
      CHECK(body_of(asking.get()) == "1");
      idle.set_value();
      delivered.get_future().wait();
      CHECK(body_of(asking.send(post())) == "2");
    }
  }

  TEST_CASE("bytes after the end of an answer are never taken for the next one") {
    RawServer server([](Connection& connection) {
      while (connection.request()) connection.write(ok(std::to_string(connection.number())) + ok("poison"));
    });
    Asking asking(server.url());
    for (const char* expected : {"1", "2", "3"}) CHECK(body_of(asking.get()) == expected);
  }

  TEST_CASE("a refused port, a name that is none and a handshake without answer are surely not applied") {
    Asking refused("http://127.0.0.1:" + std::to_string(tests::closed_port()));
    const auto outcome = refused.send(post());
    CHECK(verdict(outcome) == "connect");
    CHECK(std::get<gateway::upstream::Failed>(outcome.result).detail.find("refused") != std::string::npos);

    Asking unknown("http://no-such-host.invalid");
    CHECK(verdict(unknown.send(post())) == "resolve");

    RawServer silent([](Connection& connection) { connection.ended(10s); });
    Asking mute({.base_url = "https://127.0.0.1:" + std::to_string(silent.port()), .connect_timeout = 100ms});
    CHECK(verdict(mute.send(post())) == "connect_timeout");

    RawServer plain([](Connection& connection) { connection.write("HTTP/1.1 400 Bad Request\r\n\r\n"); });
    Asking wrong("https://127.0.0.1:" + std::to_string(plain.port()));
    CHECK(verdict(wrong.send(post())) == "tls");
  }

  TEST_CASE("an attempt that lost to another address is let go of: its descriptor's number may be anybody's") {
    const TwoAddresses server;
    if (!server.there()) return;  // no IPv6 here
    Asking asking(server.url());
    CHECK(body_of(asking.get()) == "here");
    constexpr int kOthers = 4;  // one of them gets the number
    std::vector<asio::posix::stream_descriptor> others;
    std::vector<int> writers;
    int woken = 0;
    for (int i = 0; i < kOthers; ++i) {
      int ends[2];
      REQUIRE(::pipe2(ends, O_CLOEXEC) == 0);
      others.emplace_back(asking.io, ends[0]);
      writers.push_back(ends[1]);
      others.back().async_wait(asio::posix::stream_descriptor::wait_read,
                               [&](std::error_code error) { woken += !error; });
    }
    asking.client.reset();
    for (const int writer : writers) CHECK(::write(writer, "x", 1) == 1);
    asking.io.restart();
    asking.io.run_for(2s);
    CHECK(woken == kOthers);
    for (const int writer : writers) ::close(writer);
  }

  TEST_CASE("a cancelled request closes its connection at once, and the client goes on") {
    using namespace asio::experimental::awaitable_operators;
    std::promise<bool> saw_the_end;
    RawServer server([&](Connection& connection) {
      connection.request();
      if (connection.number() == 1)
        saw_the_end.set_value(connection.ended(10s));
      else
        connection.write(ok("next"));
    });
    Asking asking(server.url());
    bool timer_won = false, over = false;
    asio::co_spawn(
        asking.io,
        [&]() -> asio::awaitable<void> {
          asio::steady_timer timer(asking.io, 50ms);
          const auto winner = co_await (asking.client->send(post()) || timer.async_wait(asio::use_awaitable));
          timer_won = winner.index() == 1;
        },
        [&](std::exception_ptr error) {
          REQUIRE_FALSE(error);
          over = true;
        });
    const auto begun = std::chrono::steady_clock::now();
    while (!over) asking.io.run_one();
    CHECK(timer_won);
    CHECK(asking.client->in_flight() == 0);
    CHECK(saw_the_end.get_future().get());
    CHECK(std::chrono::steady_clock::now() - begun < 3s);
    CHECK(body_of(asking.get()) == "next");
  }

  TEST_CASE("a client destroyed with requests in flight cancels them all") {
    std::promise<void> arrived;
    std::atomic<int> requests = 0;
    RawServer server([&](Connection& connection) {
      connection.request();
      if (++requests == 3) arrived.set_value();
      connection.ended(10s);
    });
    Asking asking(server.url());
    int cancelled = 0;
    for (int i = 0; i < 3; ++i)
      asio::co_spawn(asking.io, asking.client->send(post()), [&](std::exception_ptr error, Outcome) {
        try {
          if (error) std::rethrow_exception(error);
        } catch (const std::system_error& wrong) {
          cancelled += wrong.code() == asio::error::operation_aborted;
        }
      });
    auto all = arrived.get_future();
    while (all.wait_for(0s) != std::future_status::ready) asking.io.run_one_for(10ms);
    CHECK(asking.client->in_flight() == 3);
    asking.client.reset();
    asking.io.run();
    CHECK(cancelled == 3);
  }

  TEST_CASE("an io_context that goes with requests in flight takes their coroutines with it") {
    RawServer server([](Connection& connection) { connection.ended(10s); });
    Asking asking(server.url());
    asio::co_spawn(asking.io, asking.client->send(post()), [](std::exception_ptr, Outcome) {});
    asking.io.run_for(20ms);
    CHECK(asking.client->in_flight() == 1);
  }
}
