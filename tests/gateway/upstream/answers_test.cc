// What the client makes of answers, right and wrong ones, over real sockets.
#include <doctest/doctest.h>

#include "tests/gateway/upstream/asking.h"

using policies::Field;
using policies::Fields;
using tests::Asking;
using tests::Connection;
using tests::ok;
using tests::RawServer;

namespace {

enum class Then { Stay, Close, Reset };

RawServer::Script answering(std::string bytes, Then then) {
  return [bytes = std::move(bytes), then](Connection& connection) {
    while (connection.request()) {
      connection.write(bytes);
      if (then == Then::Reset) connection.reset();
      if (then != Then::Stay) return;
    }
  };
}

struct Case {
  std::string name;
  std::string method;
  std::string bytes;
  Then then;
  std::string verdict;
  std::string body;
};

const std::string kHead = "HTTP/1.1 200 OK\r\n";

}  // namespace

TEST_SUITE("upstream answers") {
  TEST_CASE("every framing of HTTP/1.1 gives status and body, and every broken one its failure") {
    const std::string many = [] {
      std::string lines;
      for (int i = 0; i < 2000; ++i) lines += "X-Line: 0123456789012345678901234567890123456789\r\n";
      return lines;
    }();
    const Case cases[] = {
        {"sized", "GET", ok("hello"), Then::Stay, "200", "hello"},
        {"empty", "GET", ok(""), Then::Stay, "200", ""},
        {"chunked", "GET", kHead + "Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n1;x=y\r\n!\r\n0\r\n\r\n",
         Then::Stay, "200", "hello!"},
        {"chunked with trailers", "GET", kHead + "Transfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\nX-Sum: 1\r\n\r\n",
         Then::Stay, "200", "hi"},
        {"until close", "GET", kHead + "\r\nto the end", Then::Close, "200", "to the end"},
        {"HTTP/1.0 until close", "GET", "HTTP/1.0 200 OK\r\n\r\nold", Then::Close, "200", "old"},
        {"sized, then close", "GET", ok("whole"), Then::Close, "200", "whole"},
        {"204", "GET", "HTTP/1.1 204 No Content\r\n\r\n", Then::Stay, "204", ""},
        {"304 with a length", "GET", "HTTP/1.1 304 Not Modified\r\nContent-Length: 9\r\n\r\n", Then::Stay, "304", ""},
        {"HEAD with a length", "HEAD", kHead + "Content-Length: 99999999999\r\n\r\n", Then::Stay, "200", ""},
        {"103 and 100 before", "GET",
         "HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\nHTTP/1.1 100 Continue\r\n\r\n" + ok("x"), Then::Stay, "200",
         "x"},
        {"a redirect is not followed", "GET", "HTTP/1.1 302 Found\r\nLocation: /else\r\nContent-Length: 0\r\n\r\n",
         Then::Stay, "302", ""},
        {"an unknown status", "GET", "HTTP/1.1 599 Odd\r\nContent-Length: 2\r\n\r\nno", Then::Stay, "599", "no"},
        {"gzip stays gzip", "GET", kHead + "Content-Encoding: gzip\r\nContent-Length: 3\r\n\r\n\x1f\x8bz", Then::Stay,
         "200", "\x1f\x8bz"},
        {"equal lengths twice", "GET", kHead + "Content-Length: 2\r\nContent-Length: 2\r\n\r\nok", Then::Stay, "200",
         "ok"},
        {"closed without a byte", "GET", "", Then::Close, "reset", ""},
        {"reset without a byte", "GET", "", Then::Reset, "reset", ""},
        {"closed inside the head", "GET", "HTTP/1.1 200 OK\r\nX-A: 1\r\n", Then::Close, "reset", ""},
        {"closed after an interim answer", "GET", "HTTP/1.1 100 Continue\r\n\r\n", Then::Close, "reset", ""},
        {"closed inside the status line", "GET", "HTTP/1.", Then::Close, "reset", ""},
        {"body too short", "GET", kHead + "Content-Length: 10\r\n\r\nfive!", Then::Close, "reset", ""},
        {"chunks cut off", "GET", kHead + "Transfer-Encoding: chunked\r\n\r\n5\r\nhel", Then::Close, "reset", ""},
        {"bad chunk size", "GET", kHead + "Transfer-Encoding: chunked\r\n\r\nxyz\r\nhello\r\n", Then::Stay, "protocol",
         ""},
        {"garbage", "GET", "this is not HTTP\r\n\r\n", Then::Close, "protocol", ""},
        {"two lengths", "GET", kHead + "Content-Length: 2\r\nContent-Length: 3\r\n\r\nok!", Then::Stay, "protocol", ""},
        {"a length that is no number", "GET", kHead + "Content-Length: 2x\r\n\r\nok", Then::Stay, "protocol", ""},
        {"101 unasked", "GET", "HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: Upgrade\r\n\r\n",
         Then::Stay, "protocol", ""},
        {"a length with a space before its colon", "GET", kHead + "Content-Length : 2\r\n\r\nok", Then::Close,
         "protocol", ""},
        {"a coding with a space before its colon", "GET",
         kHead + "Transfer-Encoding : chunked\r\nContent-Length: 12\r\n\r\n2\r\nok\r\n0\r\n\r\n", Then::Stay,
         "protocol", ""},
        {"a NUL in a field", "GET", kHead + std::string("X: a\0b\r\nContent-Length: 2\r\n\r\nok", 31), Then::Stay,
         "protocol", ""},
        {"said too large", "GET", kHead + "Content-Length: 1025\r\n\r\n", Then::Stay, "too_large", ""},
        {"is too large", "GET", kHead + "\r\n" + std::string(1025, 'x'), Then::Close, "too_large", ""},
        {"as large as allowed", "GET", ok(std::string(1024, 'x')), Then::Stay, "200", std::string(1024, 'x')},
        {"too many fields", "GET", kHead + many + "\r\n", Then::Stay, "too_large", ""},
        {"a field that does not end", "GET", kHead + "X: " + std::string(300'000, 'x'), Then::Stay, "too_large", ""},
        {"interim answers without end", "GET",
         [] {
           std::string all;
           for (int i = 0; i < 4000; ++i) all += "HTTP/1.1 100 Continue\r\n\r\n";
           return all;
         }(),
         Then::Stay, "too_large", ""},
    };
    for (const auto& row : cases) {
      CAPTURE(row.name);
      RawServer server(answering(row.bytes, row.then));
      Asking asking({.base_url = server.url(), .timeout = std::chrono::seconds(5), .answer_bytes = 1024});
      const auto outcome = asking.send({row.method, "/", {}, nullptr, {}});
      CHECK(tests::verdict(outcome) == row.verdict);
      if (const auto* response = tests::answer(outcome)) CHECK(response->body == row.body);
    }
  }

  TEST_CASE("fields keep order, case and repeats; hop-by-hop fields, interim fields and trailers are dropped") {
    RawServer server(answering(
        "HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n"
        "HTTP/1.1 200 OK\r\nset-COOKIE: a=1\r\nX-RateLimit-Max:100\r\nConnection: keep-alive, X-Private\r\n"
        "Keep-Alive: timeout=5\r\nX-Private: 1\r\nSet-Cookie: b=2; Path=/\r\nX-Empty:\r\nX-Folded: one\r\n  two\r\n"
        "Content-Length: 7\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\nX-Sum: 1\r\n\r\n",
        Then::Stay));
    Asking asking(server.url());
    const auto outcome = asking.get();
    REQUIRE(tests::answer(outcome) != nullptr);
    CHECK(tests::answer(outcome)->fields == Fields{{"set-COOKIE", "a=1"},
                                                   {"X-RateLimit-Max", "100"},
                                                   {"Set-Cookie", "b=2; Path=/"},
                                                   {"X-Empty", ""},
                                                   {"X-Folded", "one two"}});
    CHECK(tests::answer(outcome)->body == "hi");
    CHECK(tests::answer(outcome)->http_version == 11);
  }

  TEST_CASE("control characters of a field's value become spaces, and what has no name of a field is dropped") {
    RawServer server(
        answering("HTTP/1.1 200 OK\r\nX-Cr: a\rX-Made-Up: 1\r\nX-Tab: a\tb\r\nX-Controls: \x01"
                  "a\x1f\x7f"
                  "b\x0b\r\n"
                  "X-Folded: a\r\n \x02"
                  "b\r\nX-High: \xc3\xa9\r\nX Bad: 1\r\n folded\r\nX-Spaced : 1\r\n"
                  "Content-Length: 2\r\n\r\nhi",
                  Then::Stay));
    Asking asking(server.url());
    const auto outcome = asking.get();
    REQUIRE(tests::answer(outcome) != nullptr);
    CHECK(tests::answer(outcome)->fields == Fields{{"X-Cr", "a X-Made-Up: 1"},
                                                   {"X-Tab", "a\tb"},
                                                   {"X-Controls", "a  b"},
                                                   {"X-Folded", "a b"},
                                                   {"X-High", "\xc3\xa9"},
                                                   {"X-Spaced", "1"},
                                                   {"Content-Length", "2"}});
  }

  TEST_CASE("a slow head and a slow body end in time-outs that say the request may have been applied") {
    for (const std::string& begin : {std::string(), kHead + "Content-Length: 100\r\n\r\nsome"}) {
      RawServer server([&](Connection& connection) {
        connection.request();
        connection.write(begin);
        connection.ended(std::chrono::seconds(10));
      });
      Asking asking(server.url());
      const auto outcome = asking.send({"POST", "/", {}, nullptr, std::chrono::milliseconds(60)});
      CHECK(tests::verdict(outcome) == "timeout");
      CHECK(outcome.total >= std::chrono::milliseconds(60));
      CHECK(outcome.total < std::chrono::seconds(3));
    }
  }

  TEST_CASE("a failure's words hold nothing of URL, fields or body") {
    RawServer server(answering(
        "HTTP/1.1 200 secret-reason\r\nX-Secret: secret-field\r\nContent-Length: 50\r\n\r\nsecret-body", Then::Close));
    Asking asking(server.url() + "/secret-base");
    const auto outcome = asking.get("/secret-path?secret-query=1");
    REQUIRE(tests::answer(outcome) == nullptr);
    const auto& failed = std::get<gateway::upstream::Failed>(outcome.result);
    CHECK_FALSE(failed.detail.empty());
    CHECK(failed.detail.find("secret") == std::string::npos);
    CHECK(failed.detail.find("127.0.0.1") == std::string::npos);
  }
}
