#include <doctest/doctest.h>
#include <unistd.h>

#include <thread>

#include "tests/gateway/server/raw_client.h"
#include "tests/gateway/server/test_server.h"
#include "tests/support/temp_dir.h"

namespace gateway::server::test {
TEST_SUITE_BEGIN("server");

TEST_CASE("a connection is kept for the next request, and a body goes with its own request") {
  TestServer server(echo);
  RawClient client(server.address());
  client.send("GET /a?b=c HTTP/1.1\r\nHost: h\r\nX-One: 1\r\nX-One: 2\r\n\r\n");
  auto answer = client.answer();
  REQUIRE(answer);
  CHECK(answer->status == 200);
  CHECK(answer->body == "GET /a ?b=c @h 1.1\nX-One=1\nX-One=2\n[]");
  CHECK(answer->field("Date").ends_with(" GMT"));
  CHECK(answer->field("Connection") == "");
  client.send("POST /p HTTP/1.1\r\nHost: h\r\nContent-Length: 4\r\n\r\nbody");
  answer = client.answer();
  REQUIRE(answer);
  CHECK(answer->body == "POST /p ? @h 1.1\n[body]");
  CHECK(server.server.connections() == 1);
}

TEST_CASE("a request that arrives byte by byte is the same request") {
  TestServer server(echo);
  RawClient client(server.address());
  client.send_slowly(
      "POST /p HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n3;x=y\r\nabc\r\n2\r\nde\r\n0\r\nT: v\r\n\r\n");
  const auto answer = client.answer();
  REQUIRE(answer);
  CHECK(answer->body == "POST /p ? @h 1.1\n[abcde]");
}

TEST_CASE("pipelined requests are answered in their order") {
  std::vector<std::jthread> threads;
  TestServer server([&threads](const RequestView& request, Reply reply) {
    const std::string target(request.target);
    if (target.size() % 2 == 0) return reply.send(text(target));
    threads.emplace_back([target, reply] { reply.send(text(target)); });
  });
  RawClient client(server.address());
  std::string requests;
  for (int i = 0; i < 100; ++i) requests += "GET /" + std::string(i, 'x') + " HTTP/1.1\r\nHost: h\r\n\r\n";
  client.send(requests);
  for (int i = 0; i < 100; ++i) {
    const auto answer = client.answer();
    REQUIRE(answer);
    CHECK(answer->body == "/" + std::string(i, 'x'));
  }
  server.server.stop();
}

TEST_CASE("tcp and unix sockets are served alike, and the socket's file goes when the server stops") {
  const test_support::TempDir folder;
  const std::string path = folder.path() / "s";
  {
    TestServer server([](const RequestView&, Reply reply) { reply.send(text(std::string(reply.peer()))); }, {}, 2,
                      {"127.0.0.1:0", "unix:" + path, "[::1]:0"});
    RawClient local(server.server.addresses()[1]);
    local.send("GET / HTTP/1.1\r\nHost: h\r\n\r\n");
    CHECK(local.answer()->body == "unix");
    RawClient remote(server.address());
    remote.send("GET / HTTP/1.1\r\nHost: h\r\n\r\n");
    CHECK(remote.answer()->body.starts_with("127.0.0.1:"));
    CHECK_THROWS_WITH_AS(Server({"second", {"unix:" + path}, 1, {}}, nullptr),
                         ("cannot listen on unix:" + path + ": another process listens there").c_str(),
                         std::runtime_error);
  }
  CHECK(access(path.c_str(), F_OK) != 0);
}

TEST_SUITE_END();
}  // namespace gateway::server::test
