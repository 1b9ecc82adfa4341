// What the edge must not let pass, and what it must: each case on a connection of its own.
#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "tests/gateway/server/raw_client.h"
#include "tests/gateway/server/test_server.h"

namespace gateway::server::test {
TEST_SUITE_BEGIN("server");

namespace {

const std::string kHost = "Host: h\r\n";
const std::string kPost = "POST / HTTP/1.1\r\nHost: h\r\n";
const std::string kChunked = kPost + "Transfer-Encoding: chunked\r\n\r\n";

struct Refused {
  std::string what;
  std::string bytes;
  int status;
  std::string reason;
};

const std::vector<Refused>& refused_cases() {
  static const std::vector<Refused> kCases{
      {"no version", "GET /\r\n", 400, "malformed-request-line"},
      {"a TLS hello", "\x16\x03\x01\x02", 400, "malformed-request-line"},
      {"no target", "GET HTTP/1.1\r\n", 400, "malformed-request-line"},
      {"two spaces before the target", "GET  / HTTP/1.1\r\n" + kHost + "\r\n", 400, "malformed-target"},
      {"a space in the target", "GET /a b HTTP/1.1\r\n" + kHost + "\r\n", 400, "malformed-target"},
      {"a space before the method", " GET / HTTP/1.1\r\n" + kHost + "\r\n", 400, "malformed-request-line"},
      {"a method that is no token", "GE(T / HTTP/1.1\r\n" + kHost + "\r\n", 400, "malformed-request-line"},
      {"lower-case http", "GET / http/1.1\r\n" + kHost + "\r\n", 400, "malformed-request-line"},
      {"a version of three digits", "GET / HTTP/1.10\r\n" + kHost + "\r\n", 400, "malformed-request-line"},
      {"HTTP/0.9", "GET / HTTP/0.9\r\n\r\n", 505, "unsupported-version"},
      {"HTTP/2.0", "GET / HTTP/2.0\r\n" + kHost + "\r\n", 505, "unsupported-version"},
      {"HTTP/3.9", "GET / HTTP/3.9\r\n" + kHost + "\r\n", 505, "unsupported-version"},
      {"the HTTP/2 preface", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 505, "unsupported-version"},
      {"a tab in the target", "GET /\t HTTP/1.1\r\n" + kHost + "\r\n", 400, "malformed-target"},
      {"a NUL in the target", "GET /" + std::string(1, '\0') + " HTTP/1.1\r\n" + kHost + "\r\n", 400,
       "malformed-target"},
      {"a DEL in the target", "GET /\x7f HTTP/1.1\r\n" + kHost + "\r\n", 400, "malformed-target"},
      {"a fragment", "GET /#f HTTP/1.1\r\n" + kHost + "\r\n", 400, "malformed-target"},
      {"a relative target", "GET a HTTP/1.1\r\n" + kHost + "\r\n", 400, "malformed-target"},
      {"a star without OPTIONS", "GET * HTTP/1.1\r\n" + kHost + "\r\n", 400, "malformed-target"},
      {"another scheme", "GET ftp://h/ HTTP/1.1\r\n" + kHost + "\r\n", 400, "malformed-target"},
      {"user information", "GET http://u@h/ HTTP/1.1\r\n" + kHost + "\r\n", 400, "malformed-target"},
      {"an empty authority", "GET http:///a HTTP/1.1\r\n" + kHost + "\r\n", 400, "malformed-target"},
      {"a bare LF after the request line", "GET / HTTP/1.1\n" + kHost + "\r\n", 400, "bare-line-feed"},
      {"a bare LF after a field", "GET / HTTP/1.1\r\nHost: h\n\r\n", 400, "bare-line-feed"},
      {"a bare LF as the end", "GET / HTTP/1.1\r\nHost: h\r\n\n", 400, "bare-line-feed"},
      {"only bare LFs", "\n\n", 400, "bare-line-feed"},
      {"a bare CR in a value", "GET / HTTP/1.1\r\nHost: h\r\nX: a\rb\r\n\r\n", 400, "malformed-field"},
      {"a folded value", "GET / HTTP/1.1\r\nHost: h\r\nX: a\r\n b\r\n\r\n", 400, "folded-field"},
      {"a folded empty value", "GET / HTTP/1.1\r\nHost: h\r\nX:\r\n\tb\r\n\r\n", 400, "folded-field"},
      {"a first line that is folded", "GET / HTTP/1.1\r\n Host: h\r\n\r\n", 400, "folded-field"},
      {"a space before the colon", "GET / HTTP/1.1\r\nHost : h\r\n\r\n", 400, "malformed-field"},
      {"a space in a name", "GET / HTTP/1.1\r\nHost: h\r\nX Y: a\r\n\r\n", 400, "malformed-field"},
      {"an empty name", "GET / HTTP/1.1\r\nHost: h\r\n: a\r\n\r\n", 400, "malformed-field"},
      {"no colon", "GET / HTTP/1.1\r\nHost: h\r\nX\r\n\r\n", 400, "malformed-field"},
      {"a high byte in a name", "GET / HTTP/1.1\r\nHost: h\r\nX\xe4: a\r\n\r\n", 400, "malformed-field"},
      {"a NUL in a value", "GET / HTTP/1.1\r\nHost: h\r\nX: " + std::string(1, '\0') + "\r\n\r\n", 400,
       "malformed-field"},
      {"an escape in a value", "GET / HTTP/1.1\r\nHost: h\r\nX: \x1b[0m\r\n\r\n", 400, "malformed-field"},
      {"no Host", "GET / HTTP/1.1\r\n\r\n", 400, "bad-host"},
      {"no Host beside an absolute target", "GET http://h/ HTTP/1.1\r\n\r\n", 400, "bad-host"},
      {"two Hosts", "GET / HTTP/1.1\r\nHost: h\r\nHost: h\r\n\r\n", 400, "bad-host"},
      {"two Hosts in 1.0", "GET / HTTP/1.0\r\nHost: h\r\nHost: h\r\n\r\n", 400, "bad-host"},
      {"a Host that is none", "GET / HTTP/1.1\r\nHost: a b\r\n\r\n", 400, "bad-host"},
      {"a Host with a path", "GET / HTTP/1.1\r\nHost: h/x\r\n\r\n", 400, "bad-host"},
      {"length and coding", kPost + "Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n", 400,
       "ambiguous-framing"},
      {"coding and length", kPost + "Transfer-Encoding: chunked\r\nContent-Length: 3\r\n\r\n", 400,
       "ambiguous-framing"},
      {"two lengths that differ", kPost + "Content-Length: 3\r\nContent-Length: 4\r\n\r\n", 400, "bad-content-length"},
      {"two equal lengths", kPost + "Content-Length: 3\r\nContent-Length: 3\r\n\r\n", 400, "bad-content-length"},
      {"a list of lengths", kPost + "Content-Length: 3, 3\r\n\r\n", 400, "bad-content-length"},
      {"a negative length", kPost + "Content-Length: -3\r\n\r\n", 400, "bad-content-length"},
      {"a signed length", kPost + "Content-Length: +3\r\n\r\n", 400, "bad-content-length"},
      {"a hexadecimal length", kPost + "Content-Length: 0x3\r\n\r\n", 400, "bad-content-length"},
      {"an empty length", kPost + "Content-Length:\r\n\r\n", 400, "bad-content-length"},
      {"a spaced length", kPost + "Content-Length: 1 2\r\n\r\n", 400, "bad-content-length"},
      {"a length past 64 bits", kPost + "Content-Length: 99999999999999999999999\r\n\r\n", 413, "body-too-large"},
      {"a length near 64 bits", kPost + "Content-Length: 9999999999999999999\r\n\r\n", 413, "body-too-large"},
      {"a length over the limit", kPost + "Content-Length: 10485761\r\n\r\n", 413, "body-too-large"},
      {"an unknown coding", kPost + "Transfer-Encoding: gzip, chunked\r\n\r\n", 501, "unknown-transfer-coding"},
      {"an unknown last coding", kPost + "Transfer-Encoding: chunked, gzip\r\n\r\n", 501, "unknown-transfer-coding"},
      {"identity", kPost + "Transfer-Encoding: identity\r\n\r\n", 501, "unknown-transfer-coding"},
      {"a coding that only starts so", kPost + "Transfer-Encoding: chunkedx\r\n\r\n", 501, "unknown-transfer-coding"},
      {"an empty coding", kPost + "Transfer-Encoding:\r\n\r\n", 501, "unknown-transfer-coding"},
      {"chunked twice", kPost + "Transfer-Encoding: chunked, chunked\r\n\r\n", 400, "ambiguous-framing"},
      {"chunked on two lines", kPost + "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n", 400,
       "ambiguous-framing"},
      {"chunked in 1.0", "POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400, "ambiguous-framing"},
      {"another expectation", kPost + "Expect: magic\r\nContent-Length: 3\r\n\r\n", 417, "unknown-expectation"},
      {"no chunk size", kChunked + "\r\nabc\r\n", 400, "malformed-chunk"},
      {"a chunk size that is none", kChunked + "g\r\n", 400, "malformed-chunk"},
      {"a signed chunk size", kChunked + "-1\r\n", 400, "malformed-chunk"},
      {"a prefixed chunk size", kChunked + "0x3\r\nabc\r\n", 400, "malformed-chunk"},
      {"a bare LF after a chunk size", kChunked + "3\nabc\r\n", 400, "malformed-chunk"},
      {"chunk data without its CRLF", kChunked + "3\r\nabcXX", 400, "malformed-chunk"},
      {"chunk data longer than said", kChunked + "3\r\nabcd\r\n", 400, "malformed-chunk"},
      {"a bare LF after chunk data", kChunked + "3\r\nabc\n0\r\n\r\n", 400, "malformed-chunk"},
      {"a bare LF in an extension", kChunked + "3;a\nb\r\nabc", 400, "malformed-chunk"},
      {"a second size after a blank", kChunked + "3 3\r\nabc", 400, "malformed-chunk"},
      {"a bare LF in the trailers", kChunked + "0\r\nT: v\n\r\n", 400, "malformed-chunk"},
      {"a chunk over the limit", kChunked + "A00001\r\n", 413, "body-too-large"},
      {"a chunk size past 64 bits", kChunked + "FFFFFFFFFFFFFFFFF\r\n", 413, "body-too-large"},
      {"endless extensions", kChunked + "3;" + std::string(40'000, 'x'), 400, "malformed-chunk"},
      {"endless trailers", kChunked + "0\r\nT: " + std::string(40'000, 'x'), 400, "malformed-chunk"},
      {"a long target", "GET /" + std::string(8 * 1024, 'x') + " HTTP/1.1\r\n" + kHost + "\r\n", 414,
       "target-too-long"},
      {"an endless target", "GET /" + std::string(20'000, 'x'), 414, "target-too-long"},
      {"a large field", "GET / HTTP/1.1\r\n" + kHost + "X: " + std::string(33'000, 'x') + "\r\n\r\n", 431,
       "header-too-large"},
      {"an endless field", "GET / HTTP/1.1\r\n" + kHost + "X: " + std::string(40'000, 'x'), 431, "header-too-large"},
  };
  return kCases;
}

}  // namespace

TEST_CASE("what breaks the protocol or a limit is answered with its status, and the connection ends") {
  TestServer server(echo);
  int expected = 0;
  for (const auto& c : refused_cases()) {
    for (const bool slowly : {false, true}) {
      if (slowly && c.bytes.size() > 1'000) continue;
      CAPTURE(c.what);
      CAPTURE(slowly);
      RawClient client(server.address());
      if (slowly)
        client.send_slowly(c.bytes);
      else
        client.send(c.bytes);
      const auto answer = client.answer();
      REQUIRE(answer);
      CHECK(answer->status == c.status);
      CHECK(answer->field("Connection") == "close");
      CHECK(answer->field("Content-Type") == "application/problem+json");
      CHECK(answer->body.find("/" + std::string(c.reason) + "\"") != std::string::npos);
      CHECK(server.last_refusal() == c.reason);
      CHECK(server.refusals == ++expected);
      CHECK(client.end() == RawClient::End::Eof);
    }
  }
}

TEST_CASE("what is refused behind a good request does not take the good one's answer away") {
  TestServer server(echo);
  RawClient client(server.address());
  client.send("GET /good HTTP/1.1\r\nHost: h\r\n\r\nGET bad HTTP/1.1\r\n\r\nGET /never HTTP/1.1\r\nHost: h\r\n\r\n");
  CHECK(client.answer()->body == "GET /good ? @h 1.1\n[]");
  CHECK(client.answer()->status == 400);
  CHECK(client.end() == RawClient::End::Eof);
}

TEST_CASE("a client that still sends a refused body gets its answer and no reset") {
  TestServer server(echo);
  RawClient client(server.address());
  client.send(kPost + "Content-Length: 20000000\r\n\r\n" + std::string(8'000'000, 'b'));
  CHECK(client.answer()->status == 413);
  CHECK(client.end() == RawClient::End::Eof);
}

TEST_CASE("a chunked body is refused as soon as it is over the limit") {
  TestServer server(echo, {.body_bytes = 10});
  RawClient client(server.address());
  client.send(kChunked + "5\r\n12345\r\n5\r\n12345\r\n1\r\n");
  CHECK(client.answer()->status == 413);
}

TEST_SUITE_END();
}  // namespace gateway::server::test
