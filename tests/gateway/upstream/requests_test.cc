// What the client writes, and what it refuses to write: the server answers with the request it read.
#include <doctest/doctest.h>
#include <stdlib.h>

#include <array>

#include "gateway/upstream/base_url.h"
#include "tests/gateway/upstream/asking.h"

using gateway::upstream::Request;
using tests::Asking;
using tests::body_of;
using tests::Connection;
using tests::RawServer;

namespace {

void echo(Connection& connection) {
  while (const auto request = connection.request()) connection.write(tests::ok(*request));
}

auto body(std::string text) { return std::make_shared<const std::string>(std::move(text)); }

}  // namespace

TEST_SUITE("upstream requests") {
  TEST_CASE("a request is written as it is, with nothing added but Host and framing") {
    RawServer server(echo);
    Asking asking(server.url() + "/base/");
    const std::string host = "Host: 127.0.0.1:" + std::to_string(server.port()) + "\r\n";
    struct Case {
      Request request;
      std::string written;
    };
    const Case cases[] = {
        {{"GET", "/contacts/?locationId=a%20b&q=/../é", {}, nullptr, {}},
         "GET /base/contacts/?locationId=a%20b&q=/../é HTTP/1.1\r\n" + host + "\r\n"},
        {{"GET", "/a/../b//c", {}, body(""), {}}, "GET /base/a/../b//c HTTP/1.1\r\n" + host + "\r\n"},
        {{"GET", "/", {{"X-One", "1"}, {"x-one", "2"}, {"X-Empty", ""}, {"X-Blank", "  "}}, nullptr, {}},
         "GET /base/ HTTP/1.1\r\n" + host + "X-One: 1\r\nx-one: 2\r\nX-Empty:\r\nX-Blank:\r\n\r\n"},
        {{"DELETE", "/c/1", {}, nullptr, {}}, "DELETE /base/c/1 HTTP/1.1\r\n" + host + "\r\n"},
        {{"DELETE", "/c/1/tags", {{"Content-Type", "application/json"}}, body("{}"), {}},
         "DELETE /base/c/1/tags HTTP/1.1\r\n" + host + "Content-Type: application/json\r\nContent-Length: 2\r\n\r\n{}"},
        {{"GET", "/s", {}, body("q"), {}}, "GET /base/s HTTP/1.1\r\n" + host + "Content-Length: 1\r\n\r\nq"},
        {{"PUT", "/c/1", {}, nullptr, {}}, "PUT /base/c/1 HTTP/1.1\r\n" + host + "Content-Length: 0\r\n\r\n"},
        {{"POST", "/c", {}, body(std::string("a\0b", 3)), {}},
         "POST /base/c HTTP/1.1\r\n" + host + "Content-Length: 3\r\n\r\n" + std::string("a\0b", 3)},
        {{"PURGE", "/x", {}, nullptr, {}}, "PURGE /base/x HTTP/1.1\r\n" + host + "\r\n"},
        {{"GET",
          "/",
          {{"Accept-Encoding", "gzip"}, {"User-Agent", "mine"}, {"Accept", "*/*"}, {"Authorization", "Bearer t"}},
          nullptr,
          {}},
         "GET /base/ HTTP/1.1\r\n" + host +
             "Accept-Encoding: gzip\r\nUser-Agent: mine\r\nAccept: */*\r\nAuthorization: Bearer t\r\n\r\n"},
    };
    for (const auto& row : cases) CHECK(body_of(asking.send(row.request)) == row.written);
  }

  TEST_CASE("hop-by-hop and framing fields of the caller never reach the wire") {
    RawServer server(echo);
    Asking asking(server.url());
    const auto written = body_of(asking.send({"POST",
                                              "/",
                                              {{"Host", "evil"},
                                               {"Content-Length", "99"},
                                               {"Transfer-Encoding", "chunked"},
                                               {"Connection", "close, X-Hop"},
                                               {"X-Hop", "1"},
                                               {"TE", "trailers"},
                                               {"Upgrade", "h2c"},
                                               {"Keep-Alive", "1"},
                                               {"Expect", "100-continue"},
                                               {"Proxy-Authorization", "x"},
                                               {"X-Keep", "1"}},
                                              body("ab"),
                                              {}}));
    CHECK(written == "POST / HTTP/1.1\r\nHost: 127.0.0.1:" + std::to_string(server.port()) +
                         "\r\nX-Keep: 1\r\nContent-Length: 2\r\n\r\nab");
  }

  TEST_CASE("a large body goes out at once, without waiting for 100 Continue") {
    RawServer server([](Connection& connection) {
      while (const auto request = connection.request()) connection.write(tests::ok(std::to_string(request->size())));
    });
    Asking asking(server.url());
    const std::size_t size = 8 * 1024 * 1024;
    const auto outcome = asking.send({"POST", "/", {}, body(std::string(size, 'x')), {}});
    const std::string head =
        "POST / HTTP/1.1\r\nHost: 127.0.0.1:" + std::to_string(server.port()) + "\r\nContent-Length: 8388608\r\n\r\n";
    CHECK(body_of(outcome) == std::to_string(head.size() + size));
    CHECK(outcome.total < std::chrono::milliseconds(900));  // libcurl would wait one second
  }

  TEST_CASE("what could break out of its line is refused before anything is sent") {
    RawServer server(echo);
    Asking asking(server.url());
    const Request cases[] = {
        {"GET", "/", {{"X", "a\r\nEvil: 1"}}, nullptr, {}},
        {"GET", "/", {{"X", "a\nb"}}, nullptr, {}},
        {"GET", "/", {{"X", std::string("a\0b", 3)}}, nullptr, {}},
        {"GET", "/", {{"X\r\nEvil", "1"}}, nullptr, {}},
        {"GET", "/", {{"X: y", "1"}}, nullptr, {}},
        {"GET", "/", {{"", "1"}}, nullptr, {}},
        {"GET", "/ HTTP/1.1\r\nEvil: 1\r\n\r\n", {}, nullptr, {}},
        {"GET", "/a b", {}, nullptr, {}},
        {"GET", "", {}, nullptr, {}},
        {"GET", "@evil/", {}, nullptr, {}},
        {"GET", "http://evil/", {}, nullptr, {}},
        {"GE T", "/", {}, nullptr, {}},
        {"", "/", {}, nullptr, {}},
        {"GET\r\n", "/", {}, nullptr, {}},
    };
    for (const auto& request : cases) {
      const auto outcome = asking.send(request);
      CHECK(tests::verdict(outcome) == "unsendable");
    }
    CHECK(server.connections() == 0);
  }

  TEST_CASE("an upstream on this machine is asked directly, whatever proxies the environment names") {
    RawServer upstream(echo), proxy(echo);
    const std::array<const char*, 3> names{"http_proxy", "all_proxy", "ALL_PROXY"};
    for (const char* name : names) ::setenv(name, proxy.url().c_str(), 1);
    Asking asking(upstream.url());
    for (int i = 0; i < 2; ++i) CHECK(body_of(asking.get("/direct")).starts_with("GET /direct HTTP/1.1\r\n"));
    for (const char* name : names) ::unsetenv(name);
    CHECK(proxy.connections() == 0);
  }

  TEST_CASE("a base URL is taken apart or refused") {
    const auto base = gateway::upstream::parse_base_url("https://services.example.com/v1//");
    CHECK(base.origin == "https://services.example.com:443/");
    CHECK(base.prefix == "/v1");
    CHECK_FALSE(base.loopback);
    CHECK(gateway::upstream::parse_base_url("http://[::1]:8081").origin == "http://[::1]:8081/");
    CHECK(gateway::upstream::parse_base_url("http://[::1]:8081").loopback);
    for (const char* wrong :
         {"", "services.example.com", "ftp://host/", "http://", "https://user:pw@host/", "https://host/?a=1",
          "https://host/#a", "https://host:99999/", "https://ho st/", "https://host/a b", "https://host/\r\nX: 1"})
      CHECK_THROWS_AS(gateway::upstream::parse_base_url(wrong), std::invalid_argument);
  }

  TEST_CASE("a CA file that is not there stops the start") {
    asio::io_context io;
    CHECK_THROWS_AS(gateway::upstream::Client(io, {.base_url = "https://localhost", .ca_file = "/nonexistent/ca.pem"}),
                    std::invalid_argument);
  }
}
