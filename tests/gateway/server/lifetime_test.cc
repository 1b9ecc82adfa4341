// Connections that end, stall or crowd: nobody else may notice.
#include <doctest/doctest.h>
#include <sys/resource.h>
#include <unistd.h>

#include <deque>
#include <memory>
#include <thread>

#include "tests/gateway/server/raw_client.h"
#include "tests/gateway/server/test_server.h"

namespace gateway::server::test {
TEST_SUITE_BEGIN("server");

using namespace std::chrono_literals;

namespace {

const std::string kGet = "GET / HTTP/1.1\r\nHost: h\r\n\r\n";

// Waits for a count that another thread changes, through a connection's own traffic: each round is a request answered.
template <typename Condition>
bool becomes_true(const TestServer& server, Condition condition) {
  const auto end = std::chrono::steady_clock::now() + kPatience;
  while (!condition()) {
    if (std::chrono::steady_clock::now() > end) return false;
    RawClient probe(server.address());
    probe.send("GET /probe HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n");
    if (!probe.answer()) return false;
  }
  return true;
}

}  // namespace

TEST_CASE("a client that hangs up is noticed while its request is handled, and its pipelined requests are forgotten") {
  struct Way {
    std::string name;
    void (RawClient::*leave)();
  };
  for (const auto& way :
       {Way{"closes", &RawClient::close}, Way{"resets", &RawClient::reset}, Way{"shuts down", &RawClient::shut_down}}) {
    CAPTURE(way.name);
    Event arrived;
    Event gone;
    std::atomic<int> requests{0};
    TestServer server([&](const RequestView& request, Reply reply) {
      if (request.path == "/probe") return reply.send(text("p"));
      ++requests;
      reply.on_hang_up([&gone, reply] { gone.set(); });
      arrived.set();
    });
    RawClient client(server.address());
    client.send(kGet + kGet + std::string(100'000, 'x'));
    REQUIRE(arrived.wait());
    (client.*way.leave)();
    CHECK(gone.wait());
    CHECK(becomes_true(server, [&] { return server.server.connections() <= 1; }));
    CHECK(requests == 1);
  }
}

TEST_CASE("a client that only shuts down its sending side gets its answer") {
  Event arrived;
  std::vector<Reply> replies;
  TestServer server([&](const RequestView& request, Reply reply) {
    if (request.path == "/now") return reply.send(text("now"));
    replies.push_back(reply);
    arrived.set();
  });
  RawClient client(server.address());
  client.send("GET /now HTTP/1.1\r\nHost: h\r\n\r\nGET /now HTTP/1.1\r\nHost: h\r\n\r\n");
  client.shut_down();
  CHECK(client.answer()->body == "now");
  CHECK(client.answer()->body == "now");
  CHECK(client.end() == RawClient::End::Eof);
  RawClient slow(server.address());
  slow.send(kGet);
  REQUIRE(arrived.wait());
  slow.shut_down();
  replies.front().send(text("late"));
  CHECK(slow.answer()->body == "late");
  CHECK(slow.end() == RawClient::End::Eof);
  server.server.stop();
}

// The stranger is made as like the leaver as can be: the same place, the same descriptor, its first request in flight.
TEST_CASE("an answer that comes late never reaches the connection that got the descriptor") {
  std::deque<Reply> held;
  std::atomic<std::size_t> arrived{0};
  TestServer server([&](const RequestView& request, Reply reply) {
    if (request.path == "/probe") return reply.send(text("p"));
    if (request.path == "/hold") {
      held.push_back(reply);
      ++arrived;
      return;
    }
    const auto late = std::move(held.front());
    held.pop_front();
    std::thread([&] { late.send(text(request.path == "/late" ? "stolen" : "own")); }).join();
    reply.send(text("released"));
  });
  const auto connections_become = [&server](std::size_t count) {
    const auto end = std::chrono::steady_clock::now() + kPatience;
    while (server.server.connections() != count && std::chrono::steady_clock::now() < end) std::this_thread::yield();
    return server.server.connections() == count;
  };
  RawClient control(server.address());
  for (std::size_t round = 1; round <= 10; ++round) {
    auto leaver = std::make_unique<RawClient>(server.address());
    leaver->send("GET /hold HTTP/1.1\r\nHost: h\r\n\r\n");
    REQUIRE(becomes_true(server, [&] { return arrived == 2 * round - 1; }));
    REQUIRE(connections_become(2));
    leaver->reset();
    REQUIRE(connections_become(1));
    RawClient stranger(server.address());
    stranger.send("GET /hold HTTP/1.1\r\nHost: h\r\n\r\n");
    REQUIRE(becomes_true(server, [&] { return arrived == 2 * round; }));
    for (const std::string order : {"/late", "/own"}) {
      control.send("GET " + order + " HTTP/1.1\r\nHost: h\r\n\r\n");
      CHECK(control.answer()->body == "released");
    }
    CHECK(stranger.answer()->body == "own");
    CHECK(stranger.buffered() == "");
    stranger.close();
    REQUIRE(connections_become(1));
  }
  server.server.stop();
}

TEST_CASE("slow headers and bodies are answered 408, idle connections are closed without a word") {
  TestServer server(echo, {.header_timeout = 60ms, .body_timeout = 60ms, .idle_timeout = 150ms});
  RawClient slow_head(server.address());
  RawClient slow_body(server.address());
  RawClient idle(server.address());
  RawClient blank(server.address());
  RawClient after(server.address());
  slow_head.send("GET / HT");
  slow_body.send("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\n\r\na");
  blank.send("\r\n");
  after.send(kGet);
  CHECK(after.answer()->status == 200);
  CHECK(slow_head.answer()->status == 408);
  CHECK(slow_body.answer()->status == 408);
  CHECK(server.refusals == 2);
  CHECK(idle.end() == RawClient::End::Eof);
  CHECK(blank.end() == RawClient::End::Eof);
  CHECK(after.end() == RawClient::End::Eof);
  CHECK(server.refusals == 2);
}

TEST_CASE("a handler may take longer than every time limit") {
  Event arrived;
  std::vector<Reply> replies;
  TestServer server(
      [&](const RequestView& request, Reply reply) {
        if (request.path == "/probe") return reply.send(text("p"));
        replies.push_back(reply);
        arrived.set();
      },
      {.header_timeout = 20ms, .body_timeout = 20ms, .idle_timeout = 20ms, .write_timeout = 20ms});
  RawClient client(server.address());
  client.send(kGet);
  REQUIRE(arrived.wait());
  RawClient idle(server.address());
  CHECK(idle.end() == RawClient::End::Eof);  // an idle one ends twice meanwhile
  RawClient idle_again(server.address());
  CHECK(idle_again.end() == RawClient::End::Eof);
  replies.front().send(text("done"));
  CHECK(client.answer()->body == "done");
  server.server.stop();
}

TEST_CASE("clients that send slowly or stop reading do not slow others") {
  const auto large = std::make_shared<const std::string>(20'000'000, 'x');
  TestServer server([&](const RequestView& request, Reply reply) {
    reply.send(request.path == "/large" ? Response{200, {}, large} : text("ok"));
  });
  std::vector<std::unique_ptr<RawClient>> bad;
  for (int i = 0; i < 20; ++i) {
    bad.push_back(std::make_unique<RawClient>(server.address(), 4 * 1024));
    bad.back()->send(i % 2 ? "GET /large HTTP/1.1\r\nHost: h\r\n\r\nGET / HTTP/1.1\r\nHost: h\r\n\r\n"
                           : "GET / HTTP/1.1\r\nHo");
  }
  RawClient good(server.address());
  const auto start = std::chrono::steady_clock::now();
  for (int i = 0; i < 500; ++i) {
    good.send(kGet);
    REQUIRE(good.answer());
  }
  CHECK(std::chrono::steady_clock::now() - start < 5s);
  CHECK(bad[1]->answer()->body == *large);  // and who reads on gets everything
  CHECK(bad[1]->answer()->body == "ok");
}

TEST_CASE("a client that does not read is closed in the end, and its handler told") {
  Event gone;
  const auto large = std::make_shared<const std::string>(20'000'000, 'x');
  TestServer server(
      [&](const RequestView&, Reply reply) {
        reply.on_hang_up([&gone] { gone.set(); });
        reply.send({200, {}, large});
      },
      {.write_timeout = 50ms});
  RawClient client(server.address(), 4 * 1024);
  client.send(kGet);
  CHECK(gone.wait());
  CHECK_FALSE(client.answer());
}

TEST_CASE("a client that pipelines without reading is not read from, and gets every answer when it reads") {
  const std::string body(8'000, 'x');
  std::atomic<int> handled{0};
  TestServer server([&](const RequestView& request, Reply reply) {
    if (request.path == "/probe") return reply.send(text("p"));
    ++handled;
    reply.send(text(body));
  });
  RawClient client(server.address(), 4 * 1024);
  std::string requests;
  for (int i = 0; i < 3'000; ++i) requests += kGet;
  const auto sent = client.send_what_fits(requests);
  const auto whole = sent / kGet.size();
  REQUIRE(becomes_true(server, [&] { return handled > 10; }));
  const int before = handled;
  CHECK(before < 3'000);
  for (std::size_t i = 0; i < whole; ++i) {
    const auto answer = client.answer();
    REQUIRE(answer);
    REQUIRE(answer->body.size() == body.size());
  }
}

TEST_CASE("one connection above the cap is answered 503, and there is room again when another leaves") {
  TestServer server(echo, {.connections = 2});
  auto first = std::make_unique<RawClient>(server.address());
  RawClient second(server.address());
  for (auto* client : {first.get(), &second}) {
    client->send(kGet);
    CHECK(client->answer()->status == 200);
  }
  {
    RawClient third(server.address());
    third.send(kGet);
    const auto answer = third.answer();
    REQUIRE(answer);
    CHECK(answer->status == 503);
    CHECK(third.end() == RawClient::End::Eof);
  }
  first.reset();
  const auto end = std::chrono::steady_clock::now() + kPatience;
  int status = 0;
  while (status != 200 && std::chrono::steady_clock::now() < end) {
    RawClient again(server.address());
    again.send(kGet);
    const auto answer = again.answer();
    status = answer ? answer->status : 0;
  }
  CHECK(status == 200);
}

TEST_CASE("a server that ran out of descriptors accepts again when there are some") {
  TestServer server(echo);
  rlimit before{};
  getrlimit(RLIMIT_NOFILE, &before);
  std::vector<std::unique_ptr<RawClient>> clients;
  for (int i = 0; i < 10; ++i) clients.push_back(std::make_unique<RawClient>(server.address()));
  REQUIRE(becomes_true(server, [&] { return server.server.connections() >= 10; }));
  const int next = dup(0);
  ::close(next);
  // Room for two more clients of ours, not for the server's ends of them.
  rlimit tight = before;
  tight.rlim_cur = static_cast<rlim_t>(next + 1);
  setrlimit(RLIMIT_NOFILE, &tight);
  {
    RawClient shed(server.address());
    CHECK(shed.end() != RawClient::End::None);
  }
  setrlimit(RLIMIT_NOFILE, &before);
  RawClient client(server.address());
  client.send(kGet);
  CHECK(client.answer()->status == 200);
}

TEST_CASE("draining ends idle connections, finishes what is in flight, and takes no more") {
  Event arrived;
  std::vector<Reply> replies;
  TestServer server([&](const RequestView&, Reply reply) {
    replies.push_back(reply);
    arrived.set();
  });
  RawClient idle(server.address());
  RawClient busy(server.address());
  busy.send(kGet + kGet);
  REQUIRE(arrived.wait());
  CHECK_FALSE(server.server.drain(1ms));
  CHECK(idle.end() == RawClient::End::Eof);
  std::jthread answering([&] { replies.front().send(text("last")); });
  CHECK(server.server.drain(10s));
  const auto answer = busy.answer();
  REQUIRE(answer);
  CHECK(answer->body == "last");
  CHECK(answer->field("Connection") == "close");
  CHECK(server.server.connections() == 0);
  server.server.stop();
}

TEST_CASE("a server may be stopped from any state, and answers after it are harmless") {
  std::vector<Reply> replies;
  Event arrived;
  const auto handler = [&](const RequestView&, Reply reply) {
    reply.on_hang_up([] {});
    replies.push_back(reply);
    arrived.set();
  };
  { Server never_started({"test", {"127.0.0.1:0"}, 2, {}}, nullptr); }
  {
    TestServer server(handler, {}, 2);
    RawClient client(server.address());
    client.send(kGet);
    REQUIRE(arrived.wait());
    server.server.stop();
    server.server.stop();
    CHECK(server.server.drain(1s));
    CHECK(client.end() != RawClient::End::None);
  }
  const auto reply = std::move(replies.front());
  replies.clear();
  reply.start(text("late"));
  CHECK(reply.write("x"));
  reply.end();
}

TEST_CASE("many clients on several workers each get their own answers, from any thread") {
  TestServer server(
      [](const RequestView& request, Reply reply) {
        std::string target(request.target);
        if (target.back() % 2 == 0) return reply.send(text(target));
        std::thread([target, reply] { reply.send(text(target)); }).detach();
      },
      {}, 3);
  std::vector<std::jthread> threads;
  std::atomic<int> wrong{0};
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&, t] {
      for (int c = 0; c < 5; ++c) {
        RawClient client(server.address());
        for (int i = 0; i < 20; ++i) {
          const std::string target = "/" + std::to_string(t) + "/" + std::to_string(c) + "/" + std::to_string(i);
          client.send("GET " + target + " HTTP/1.1\r\nHost: h\r\n\r\n");
          const auto answer = client.answer();
          if (!answer || answer->body != target) ++wrong;
        }
      }
    });
  }
  threads.clear();
  CHECK(wrong == 0);
}

TEST_SUITE_END();
}  // namespace gateway::server::test
