// What the edge must let pass, and how a handler sees it.
#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "tests/gateway/server/raw_client.h"
#include "tests/gateway/server/test_server.h"

namespace gateway::server::test {
TEST_SUITE_BEGIN("server");

namespace {

struct Accepted {
  std::string what;
  std::string bytes;
  std::string seen;        // as describe() puts it
  const char* connection;  // of the answer
};

const std::vector<Accepted>& accepted_cases() {
  static const std::vector<Accepted> kCases{
      {"empty lines before it", "\r\n\r\nGET / HTTP/1.1\r\nHost: h\r\n\r\n", "GET / ? @h 1.1\n[]", ""},
      {"an unknown method", "BREW /pot HTTP/1.1\r\nHost: h\r\n\r\n", "BREW /pot ? @h 1.1\n[]", ""},
      {"a method in lower case", "get / HTTP/1.1\r\nHost: h\r\n\r\n", "get / ? @h 1.1\n[]", ""},
      {"a higher minor version", "GET / HTTP/1.2\r\nHost: h\r\n\r\n", "GET / ? @h 1.1\n[]", ""},
      {"OPTIONS for the server", "OPTIONS * HTTP/1.1\r\nHost: h\r\n\r\n", "OPTIONS * ? @h 1.1\n[]", ""},
      {"CONNECT", "CONNECT a:443 HTTP/1.1\r\nHost: a:443\r\n\r\n", "CONNECT a:443 ? @a:443 1.1\n[]", ""},
      {"an absolute target", "GET http://b:1/x?y HTTP/1.1\r\nHost: h\r\n\r\n", "GET /x ?y @b:1 1.1\n[]", ""},
      {"an absolute target without a path", "GET HTTPS://b HTTP/1.1\r\nHost: h\r\n\r\n", "GET / ? @b 1.1\n[]", ""},
      {"an absolute target with a query only", "GET http://b?q=1 HTTP/1.1\r\nHost: h\r\n\r\n", "GET / ?q=1 @b 1.1\n[]",
       ""},
      {"escapes are not decoded", "GET /%2f?%20 HTTP/1.1\r\nHost: h\r\n\r\n", "GET /%2f ?%20 @h 1.1\n[]", ""},
      {"raw UTF-8", "GET /?n=Jos\xc3\xa9 HTTP/1.1\r\nHost: h\r\n\r\n", "GET / ?n=Jos\xc3\xa9 @h 1.1\n[]", ""},
      {"two question marks", "GET /a?b?c HTTP/1.1\r\nHost: h\r\n\r\n", "GET /a ?b?c @h 1.1\n[]", ""},
      {"an empty Host", "GET / HTTP/1.1\r\nHost:\r\n\r\n", "GET / ? @ 1.1\n[]", ""},
      {"an IPv6 Host", "GET / HTTP/1.1\r\nHost: [::1]:80\r\n\r\n", "GET / ? @[::1]:80 1.1\n[]", ""},
      {"repeated fields in order", "GET / HTTP/1.1\r\nHost: h\r\nA: 1\r\nB: 2\r\na: 3\r\n\r\n",
       "GET / ? @h 1.1\nA=1\nB=2\na=3\n[]", ""},
      {"blanks around a value", "GET / HTTP/1.1\r\nHost:h\r\nA: \t x y \t\r\nB:\r\n\r\n",
       "GET / ? @h 1.1\nA=x y\nB=\n[]", ""},
      {"latin-1 in a value", "GET / HTTP/1.1\r\nHost: h\r\nA: \xe4\r\n\r\n", "GET / ? @h 1.1\nA=\xe4\n[]", ""},
      {"hop-by-hop fields are dropped",
       "GET / HTTP/1.1\r\nHost: h\r\nConnection: X-Hop, TE\r\nX-Hop: 1\r\nTE: trailers\r\nKeep-Alive: 5\r\nUpgrade: "
       "h2c\r\nProxy-Connection: x\r\nTrailer: t\r\nX-End: 2\r\n\r\n",
       "GET / ? @h 1.1\nX-End=2\n[]", ""},
      {"an upgrade that is not taken", "GET / HTTP/1.1\r\nHost: h\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n",
       "GET / ? @h 1.1\n[]", ""},
      {"close", "GET / HTTP/1.1\r\nHost: h\r\nConnection: Close\r\n\r\n", "GET / ? @h 1.1\n[]", "close"},
      {"close among others", "GET / HTTP/1.1\r\nHost: h\r\nConnection: keep-alive, close\r\n\r\n", "GET / ? @h 1.1\n[]",
       "close"},
      {"HTTP/1.0", "GET / HTTP/1.0\r\n\r\n", "GET / ? @ 1.0\n[]", "close"},
      {"HTTP/1.0 that stays", "GET / HTTP/1.0\r\nHost: h\r\nConnection: Keep-Alive\r\n\r\n", "GET / ? @h 1.0\n[]",
       "keep-alive"},
      {"an expectation in 1.0", "POST / HTTP/1.0\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\nab",
       "POST / ? @ 1.0\n[ab]", "close"},
      {"a body of no bytes", "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 0\r\n\r\n", "POST / ? @h 1.1\n[]", ""},
      {"a length with leading zeros", "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 002\r\n\r\nab",
       "POST / ? @h 1.1\n[ab]", ""},
      {"a GET with a body", "GET / HTTP/1.1\r\nHost: h\r\nContent-Length: 2\r\n\r\nab", "GET / ? @h 1.1\n[ab]", ""},
      {"chunks",
       "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: Chunked\r\n\r\n3\r\nabc\r\n00A\r\n0123456789\r\n0\r\n\r\n",
       "POST / ? @h 1.1\n[abc0123456789]", ""},
      {"no chunk but the last", "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
       "POST / ? @h 1.1\n[]", ""},
      {"chunk extensions and trailers",
       "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n3;a=\"b c\";d\r\nabc\r\n0 ;x\r\nT: "
       "v\r\nU:\r\n\r\n",
       "POST / ? @h 1.1\n[abc]", ""},
  };
  return kCases;
}

}  // namespace

TEST_CASE("what the protocol allows reaches the handler as it was meant") {
  TestServer server(echo);
  for (const auto& c : accepted_cases()) {
    for (const bool slowly : {false, true}) {
      CAPTURE(c.what);
      CAPTURE(slowly);
      RawClient client(server.address());
      if (slowly)
        client.send_slowly(c.bytes);
      else
        client.send(c.bytes);
      const auto answer = client.answer();
      REQUIRE(answer);
      CHECK(answer->status == 200);
      CHECK(answer->body == c.seen);
      CHECK(answer->field("Connection") == c.connection);
      if (std::string(c.connection) == "close") {
        CHECK(client.end() == RawClient::End::Eof);
        continue;
      }
      client.send("GET /next HTTP/1.1\r\nHost: h\r\n\r\n");
      CHECK(client.answer()->body == "GET /next ? @h 1.1\n[]");
    }
  }
  CHECK(server.refusals == 0);
}

TEST_CASE("all accepted requests pipelined at once are the same requests, however the bytes are cut") {
  TestServer server(echo);
  std::string bytes;
  std::vector<std::string> seen;
  for (const auto& c : accepted_cases()) {
    if (std::string(c.connection) == "close") continue;
    bytes += c.bytes;
    seen.push_back(c.seen);
  }
  for (const std::size_t piece : {bytes.size(), std::size_t{7}, std::size_t{1}, std::size_t{100}}) {
    RawClient client(server.address());
    for (std::size_t at = 0; at < bytes.size(); at += piece) client.send(std::string_view(bytes).substr(at, piece));
    for (const auto& expected : seen) {
      const auto answer = client.answer();
      REQUIRE(answer);
      CHECK(answer->body == expected);
    }
  }
}

TEST_CASE("limits hold to the byte") {
  TestServer server(
      [](const RequestView& request, Reply reply) { reply.send(text(std::to_string(request.body.size()))); });
  RawClient client(server.address());
  client.send("GET /" + std::string(8 * 1024 - 1, 'x') + " HTTP/1.1\r\nHost: h\r\n\r\n");
  CHECK(client.answer()->status == 200);
  const std::string start = "GET / HTTP/1.1\r\nHost: h\r\nX: ";
  client.send(start + std::string(32 * 1024 - start.size() - 4, 'x') + "\r\n\r\n");
  CHECK(client.answer()->status == 200);
  client.send("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 10485760\r\n\r\n" + std::string(10485760, 'x'));
  CHECK(client.answer()->body == "10485760");
  client.send(start + std::string(32 * 1024 - start.size() - 3, 'x') + "\r\n\r\n");
  CHECK(client.answer()->status == 431);
}

TEST_CASE("100 Continue is sent when the body is wanted and none of it came") {
  TestServer server(echo);
  const std::string head = "POST / HTTP/1.1\r\nHost: h\r\nExpect: 100-Continue\r\n";
  for (const std::string body : {"Content-Length: 2\r\n\r\n", "Transfer-Encoding: chunked\r\n\r\n"}) {
    RawClient client(server.address());
    client.send(head + body);
    CHECK(client.answer()->status == 100);
    client.send(body.starts_with("C") ? "ab" : "2\r\nab\r\n0\r\n\r\n");
    CHECK(client.answer()->body == "POST / ? @h 1.1\n[ab]");
  }
  RawClient eager(server.address());
  eager.send(head + "Content-Length: 2\r\n\r\na");
  eager.send("b");
  CHECK(eager.answer()->status == 200);
  RawClient empty(server.address());
  empty.send(head + "Content-Length: 0\r\n\r\n");
  CHECK(empty.answer()->status == 200);
  RawClient large(server.address());
  large.send(head + "Content-Length: 99999999\r\n\r\n");
  CHECK(large.answer()->status == 413);
}

TEST_SUITE_END();
}  // namespace gateway::server::test
