// How answers leave: framing, order, streams and their back-pressure.
#include <doctest/doctest.h>

#include <thread>

#include "tests/gateway/server/raw_client.h"
#include "tests/gateway/server/test_server.h"

namespace gateway::server::test {
TEST_SUITE_BEGIN("server");

namespace {
const std::string kGet = "GET / HTTP/1.1\r\nHost: h\r\n\r\n";
const std::string kHead = "HEAD / HTTP/1.1\r\nHost: h\r\n\r\n";
const std::string kOld = "GET / HTTP/1.0\r\n\r\n";
}  // namespace

TEST_CASE("HEAD, 204 and 304 have no body, and the next answer follows at once") {
  int status = 200;
  TestServer server([&status](const RequestView&, Reply reply) { reply.send(text("12345", status)); });
  RawClient client(server.address());
  client.send(kHead);
  auto answer = client.answer(true);
  REQUIRE(answer);
  CHECK(answer->field("Content-Length") == "5");
  for (const int bodiless : {204, 304}) {
    status = bodiless;
    client.send(kGet);
    answer = client.answer();
    REQUIRE(answer);
    CHECK(answer->status == bodiless);
    CHECK(answer->field("Content-Length") == "");
  }
  status = 200;
  client.send(kGet);
  CHECK(client.answer()->body == "12345");
}

TEST_CASE("a handler's framing fields give way to the server's, but HEAD may tell a length of its own") {
  TestServer server([](const RequestView& request, Reply reply) {
    Response response{
        200,
        {{"Content-Length", "77"}, {"Transfer-Encoding", "gzip"}, {"X", "a\r\nInjected: 1"}, {"Date", "mine"}},
        {}};
    if (request.method != "HEAD") response.body = std::make_shared<const std::string>("ab");
    reply.send(std::move(response));
  });
  RawClient client(server.address());
  client.send(kGet + kHead);
  auto answer = client.answer();
  REQUIRE(answer);
  CHECK(answer->head == "HTTP/1.1 200 OK\r\nX: a  Injected: 1\r\nDate: mine\r\nContent-Length: 2\r\n\r\n");
  CHECK(client.answer(true)->field("Content-Length") == "77");
}

TEST_CASE("a 204 has no Content-Length, whatever its handler says") {
  TestServer server([](const RequestView&, Reply reply) { reply.send({204, {{"Content-Length", "5"}}, {}}); });
  RawClient client(server.address());
  client.send(kGet + kGet);
  for (int i = 0; i < 2; ++i) CHECK(client.answer()->field("Content-Length") == "");
}

TEST_CASE("an answer may ask for the connection's end") {
  TestServer server([](const RequestView&, Reply reply) { reply.send({200, {{"Connection", "close"}}, {}}); });
  RawClient client(server.address());
  client.send(kGet + kGet);
  const auto answer = client.answer();
  REQUIRE(answer);
  CHECK(answer->field("Connection") == "close");
  CHECK(answer->field("Content-Length") == "0");
  CHECK(client.end() == RawClient::End::Eof);
}

TEST_CASE("a prepared answer goes out as it is, with what the connection needs") {
  const auto small = std::make_shared<const std::string>("ab");
  const auto large = std::make_shared<const std::string>(3'000'000, 'x');
  TestServer server([&](const RequestView& request, Reply reply) {
    if (request.path == "/large")
      return reply.send_prepared("HTTP/1.1 200 OK\r\nContent-Length: 3000000\r\nDate: now\r\n", "", large);
    reply.send_prepared("HTTP/1.1 200 OK\r\nContent-Length: 2\r\ndate: then\r\n", "Age: 1\r\n", small);
  });
  RawClient client(server.address());
  client.send(kGet);
  auto answer = client.answer();
  REQUIRE(answer);
  CHECK(answer->head == "HTTP/1.1 200 OK\r\nContent-Length: 2\r\ndate: then\r\nAge: 1\r\n\r\n");
  CHECK(answer->body == "ab");
  client.send(kHead + kGet + "GET /large HTTP/1.1\r\nHost: h\r\n\r\n" + kGet);
  CHECK(client.answer(true)->field("Content-Length") == "2");
  CHECK(client.answer()->body == "ab");
  answer = client.answer();
  REQUIRE(answer);
  CHECK(answer->body == *large);
  CHECK(answer->field("Date") == "now");
  CHECK(client.answer()->body == "ab");
  CHECK(large.use_count() == 1);
  RawClient old(server.address());
  old.send("GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n" + kOld);
  CHECK(old.answer()->field("Connection") == "keep-alive");
  CHECK(old.answer()->field("Connection") == "close");
}

TEST_CASE("a request that its handler drops, or whose handler throws, is answered 500") {
  TestServer server([](const RequestView& request, Reply reply) {
    if (request.path == "/throw") throw std::runtime_error("bug");
    if (request.path == "/later") std::thread([reply] {}).detach();
  });
  RawClient client(server.address());
  for (const std::string path : {"/", "/throw", "/later"}) {
    client.send("GET " + path + " HTTP/1.1\r\nHost: h\r\n\r\n");
    const auto answer = client.answer();
    REQUIRE(answer);
    CHECK(answer->status == 500);
    CHECK(answer->field("Connection") == "");
  }
}

TEST_CASE("only the first answer to a request counts, and never reaches the next request") {
  std::vector<Reply> old;
  TestServer server([&old](const RequestView& request, Reply reply) {
    if (request.path == "/next") {
      for (const auto& before : old) before.send(text("late"));
    }
    old.push_back(reply);
    reply.send(text("first"));
    reply.send(text("second"));
  });
  RawClient client(server.address());
  client.send(kGet + "GET /next HTTP/1.1\r\nHost: h\r\n\r\n" + kGet);
  for (int i = 0; i < 3; ++i) CHECK(client.answer()->body == "first");
  CHECK(client.is_quiet(std::chrono::milliseconds(20)));
  server.server.stop();
}

TEST_CASE("a stream is chunked to HTTP/1.1, ends with the connection for 1.0, and is empty for HEAD") {
  TestServer server([](const RequestView&, Reply reply) {
    std::thread([reply] {
      reply.start({200, {{"Content-Type", "text/plain"}}, std::make_shared<const std::string>("one,")});
      reply.write("two,");
      reply.write("");
      reply.write("three");
      reply.end();
    }).detach();
  });
  RawClient client(server.address());
  client.send(kGet + kHead + kGet);
  auto answer = client.answer();
  REQUIRE(answer);
  CHECK(answer->field("Transfer-Encoding") == "chunked");
  CHECK(answer->body == "one,two,three");
  CHECK(client.answer(true)->status == 200);
  CHECK(client.answer()->body == "one,two,three");
  RawClient old(server.address());
  old.send("GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
  answer = old.answer();
  REQUIRE(answer);
  CHECK(answer->field("Connection") == "close");
  CHECK(answer->field("Transfer-Encoding") == "");
  CHECK(answer->body == "one,two,three");
}

TEST_CASE("a stream that breaks off is seen to be broken off") {
  TestServer server([](const RequestView& request, Reply reply) {
    policies::Fields fields;
    if (request.path == "/sized") fields.add("Content-Length", "10");
    reply.start({200, fields, {}});
    reply.write("1234");
    if (request.path == "/dropped") return;
    if (request.path == "/sized") return reply.end();
    reply.abort();
  });
  for (const std::string path : {"/", "/dropped", "/sized"}) {
    CAPTURE(path);
    RawClient client(server.address());
    client.send("GET " + path + " HTTP/1.1\r\nHost: h\r\n\r\n");
    CHECK_FALSE(client.answer());
    std::string rest;
    client.end(rest);
    CHECK(rest.find("0\r\n\r\n") == std::string::npos);
  }
}

TEST_CASE("a stream's length that is given is kept") {
  TestServer server([](const RequestView&, Reply reply) {
    reply.start({200, {{"Content-Length", "4"}}, {}});
    reply.write("12");
    reply.write("34");
    reply.end();
  });
  RawClient client(server.address());
  client.send(kGet + kGet);
  for (int i = 0; i < 2; ++i) {
    const auto answer = client.answer();
    REQUIRE(answer);
    CHECK(answer->field("Transfer-Encoding") == "");
    CHECK(answer->body == "1234");
  }
}

TEST_CASE("a writer is told to hold back, and called when its client has read on") {
  constexpr std::size_t kCap = 64 * 1024;
  constexpr int kChunks = 2'000;
  const std::string chunk(8 * 1024, 'x');
  std::atomic<int> written{0};
  std::atomic<int> drained{0};
  Event held;
  TestServer server(
      [&](const RequestView&, Reply reply) {
        auto pump = [&, reply] {
          while (written < kChunks) {
            ++written;
            if (!reply.write(chunk)) return held.set();
          }
          reply.end();
        };
        reply.start({200, {}, {}});
        reply.on_drain([&, pump] {
          ++drained;
          pump();
        });
        pump();
      },
      {.unsent_bytes = kCap});
  RawClient client(server.address(), 4 * 1024);
  client.send(kGet);
  CHECK(held.wait());
  RawClient other(server.address());
  other.send("GET / HTTP/1.0\r\n");  // a second client is not held up by the first
  CHECK(written < kChunks);
  const auto answer = client.answer();
  REQUIRE(answer);
  CHECK(answer->body.size() == kChunks * chunk.size());
  CHECK(drained > 0);
}

TEST_CASE("a writer that does not hold back is cut") {
  Event gone;
  std::jthread writer;  // outlives the server, ends before what it uses
  TestServer server(
      [&](const RequestView&, Reply reply) {
        reply.on_hang_up([&gone] { gone.set(); });
        reply.start({200, {}, {}});
        writer = std::jthread([reply, &gone] {
          while (!gone.is_set()) reply.write(std::string(100'000, 'x'));
        });
      },
      {.unsent_bytes = 1'000'000});
  RawClient client(server.address(), 4 * 1024);
  client.send(kGet);
  CHECK(gone.wait());
}

TEST_SUITE_END();
}  // namespace gateway::server::test
