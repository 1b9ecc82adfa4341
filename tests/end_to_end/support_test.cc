// The tests' own tools are tested too: a wait that cannot fail or a client that mends what it reads would hide
// everything.
#include <doctest/doctest.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstring>

#include "tests/support/eventually.h"
#include "tests/support/gateway_process.h"
#include "tests/support/http_client.h"
#include "tests/support/json.h"
#include "tests/support/listening.h"
#include "tests/support/process.h"
#include "tests/support/temp_dir.h"

using namespace test_support;
using std::chrono::milliseconds;

namespace {

ProcessOptions shell(std::string script) {
  return {.arguments = {"sh", "-c", std::move(script)}, .environment = {}, .unset_prefix = {}};
}

// A listener on a unix socket that answers with what the test gives it; the kernel's buffers stand for a second thread.
class CannedServer {
 public:
  CannedServer() {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::strncpy(address.sun_path, path().c_str(), sizeof address.sun_path - 1);
    listener_ = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    REQUIRE(::bind(listener_, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0);
    REQUIRE(::listen(listener_, 5) == 0);
  }
  ~CannedServer() {
    hang_up();
    ::close(listener_);
  }
  std::string path() const { return (folder_.path() / "socket").string(); }
  void accept() { peer_ = ::accept(listener_, nullptr, nullptr); }
  void say(std::string_view text) const { CHECK(::send(peer_, text.data(), text.size(), MSG_NOSIGNAL) > 0); }
  std::string heard() const {
    char buffer[4096];
    const ssize_t got = ::recv(peer_, buffer, sizeof buffer, 0);
    return {buffer, got > 0 ? static_cast<std::size_t>(got) : 0};
  }
  void hang_up() {
    if (peer_ >= 0) ::close(peer_);
    peer_ = -1;
  }

 private:
  TempDir folder_;
  int listener_ = -1, peer_ = -1;
};

HttpResponse read_canned(std::string_view bytes, std::string_view method = "GET") {
  CannedServer server;
  HttpClient client("unix:" + server.path(), milliseconds{2'000});
  client.connect();
  server.accept();
  server.say(bytes);
  server.hang_up();
  return client.read(method);
}

HttpError::Kind kind_of_error(std::string_view bytes) {
  try {
    read_canned(bytes);
  } catch (const HttpError& error) {
    return error.kind;
  }
  FAIL("no error for: " << bytes);
  return HttpError::Kind::Timeout;
}

}  // namespace

TEST_SUITE("support") {
  TEST_CASE("a process is told by its lines, its exit code and its signal") {
    Process speaks(shell("echo one; echo two >&2; read line; exit 3"));
    CHECK(speaks.wait_for_exit(milliseconds{5'000}) == 3);
    CHECK(speaks.output(Stream::Out) == "one\n");
    CHECK(speaks.wait_for_line(Stream::Error, "tw", milliseconds{0}) == "two");
    CHECK_FALSE(speaks.wait_for_line(Stream::Out, "two", milliseconds{60'000}));  // ended: not waited for

    Process stays(shell("echo ready; while :; do read -t 9 line || :; done"));
    CHECK(stays.wait_for_line(Stream::Out, "ready", milliseconds{5'000}));
    CHECK(stays.running());
    stays.signal(SIGTERM);
    CHECK(stays.wait_for_exit(milliseconds{5'000}) == 128 + SIGTERM);
  }

  TEST_CASE("a program that cannot be started says which and why") {
    CHECK_THROWS_WITH(Process({.arguments = {"/no/such/program"}, .environment = {}, .unset_prefix = {}}),
                      "cannot start /no/such/program: No such file or directory");
  }

  TEST_CASE("a stopped process and its children are killed with their object") {
    pid_t child = 0;
    {
      Process parent(shell("sh -c 'echo $$; exec tail -f /dev/null' & wait"));
      const auto line = parent.wait_for_line(Stream::Out, "", milliseconds{5'000});
      REQUIRE(line);
      child = std::stoi(*line);
      CHECK(::kill(child, 0) == 0);
      parent.signal(SIGSTOP);
    }
    CHECK(eventually(milliseconds{5'000}, [&] {
      const Process state(shell("grep -c '^State:.*Z' /proc/" + std::to_string(child) + "/status"));
      return ::kill(child, 0) != 0 || const_cast<Process&>(state).wait_for_exit(milliseconds{5'000}) == 0;
    }));
  }

  TEST_CASE("the environment is the test's own with the given variables over it and the named ones gone") {
    ::setenv("GATEWAY_SUPPORT_TEST", "inherited", 1);
    ProcessOptions options = shell("echo \"[$GATEWAY_SUPPORT_TEST][$GIVEN]\"");
    options.environment = {"GIVEN=yes"};
    options.unset_prefix = "GATEWAY_";
    Process process(options);
    CHECK(process.wait_for_line(Stream::Out, "[", milliseconds{5'000}) == "[][yes]");
    CHECK(environment_name("cache.memory_bytes") == "GATEWAY_CACHE_MEMORY_BYTES");
    CHECK(environment_name("credentials.locations.aB.token") == "GATEWAY_CREDENTIALS_LOCATIONS_aB_TOKEN");
  }

  TEST_CASE("a listener's address is found among other lines, and silence is an error with the program's words") {
    Process tells(shell(R"(echo 'noise "listening"'; echo '{"event":"listening","name":"a","address":"127.0.0.1:1"}';
                           echo '{"event":"listening","name":"b","address":"127.0.0.1:2"}'; read line)"));
    CHECK(wait_for_address(tells, Stream::Out, "b", milliseconds{5'000}) == "127.0.0.1:2");
    Process fails(shell("echo wrong setting >&2; exit 1"));
    CHECK_THROWS_WITH(wait_for_address(fails, Stream::Out, "a", milliseconds{60'000}),
                      "'a' does not listen; the program wrote:\nwrong setting\n");
  }

  TEST_CASE("a condition is waited for, and its absence is told at the deadline") {
    int asked = 0;
    CHECK(eventually(
        milliseconds{5'000}, [&] { return ++asked == 3; }, milliseconds{1}));
    CHECK(asked == 3);
    CHECK_FALSE(eventually(
        milliseconds{10}, [] { return false; }, milliseconds{1}));
  }

  TEST_CASE("answers are read by their framing and kept as they came") {
    const auto sized = read_canned("HTTP/1.1 200 OK\r\nX-A: 1\r\nx-a:  2 \r\nContent-Length: 3\r\n\r\nabcdef");
    CHECK(sized.status == 200);
    CHECK(sized.reason == "OK");
    CHECK(sized.body == "abc");
    CHECK(sized.fields == HttpFields{{"X-A", "1"}, {"x-a", "2"}, {"Content-Length", "3"}});
    CHECK(sized.field("X-a") == "1");
    CHECK(sized.count("x-a") == 2);
    const auto chunked = read_canned(
        "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
        "4;x=y\r\nab\r\n\r\nA\r\n0123456789\r\n0\r\nT: 1\r\n\r\n");
    CHECK(chunked.body == "ab\r\n0123456789");
    CHECK(chunked.interim == std::vector<int>{100});
    CHECK(chunked.trailers == HttpFields{{"T", "1"}});
    CHECK(read_canned("HTTP/1.0 200 OK\r\n\r\nto the end").body == "to the end");
    CHECK(read_canned("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n", "HEAD").body.empty());
    CHECK(read_canned("HTTP/1.1 304 Not Modified\r\nContent-Length: 9\r\n\r\n").status == 304);
  }

  TEST_CASE("a wrong answer is an error and never mended") {
    using Kind = HttpError::Kind;
    CHECK(kind_of_error("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nshort") == Kind::Closed);
    CHECK(kind_of_error("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nabcd\r\n0\r\n\r\n") ==
          Kind::Malformed);
    CHECK(kind_of_error("HTTP/1.1 200 OK\r\nContent-Length: 1x\r\n\r\na") == Kind::Malformed);
    CHECK(kind_of_error("HTTP/1.1 200 OK\r\nno colon\r\n\r\n") == Kind::Malformed);
    CHECK(kind_of_error("nonsense\r\n\r\n") == Kind::Malformed);
  }

  TEST_CASE("a request is framed, the end of a connection is noticed, and silence is a time-out") {
    CannedServer server;
    HttpClient client("unix:" + server.path(), milliseconds{2'000});
    client.connect();
    server.accept();
    server.say("HTTP/1.1 204 No Content\r\n\r\n");
    client.write(to_bytes({.method = "POST", .target = "/x", .fields = {}, .body = "ab"}, "h"));
    CHECK(client.read().status == 204);
    CHECK(server.heard() == "POST /x HTTP/1.1\r\nHost: h\r\nContent-Length: 2\r\n\r\nab");
    CHECK_FALSE(client.closed_by_peer(milliseconds{5}));
    server.hang_up();
    CHECK(client.closed_by_peer(milliseconds{2'000}));
    try {
      HttpClient impatient("unix:" + server.path(), milliseconds{20});
      impatient.get("/");
      FAIL("an answer that nobody gave");
    } catch (const HttpError& error) {
      CHECK(error.kind == HttpError::Kind::Timeout);
    }
  }

  TEST_CASE("JSON is read by path and a wrong path is named") {
    const Json json(R"({"a":[{"b":"x"},7],"c":true,"d":{"e":1,"f":2}})");
    CHECK(json.text("a.0.b") == "x");
    CHECK(json.integer("a.1") == 7);
    CHECK(json.boolean("c"));
    CHECK(json.size("a") == 2);
    CHECK(json.names("d") == std::vector<std::string>{"e", "f"});
    CHECK_FALSE(json.has("a.2"));
    CHECK_THROWS_WITH(json.text("a.1"), "JSON: 'a.1' is not a string");
    CHECK_THROWS_WITH(json.text("z"), "JSON: 'z' is missing, wanted a string");
    CHECK_FALSE(Json::parse("{").has_value());
    CHECK(json_string("a\"\n") == R"("a\"\n")");
  }
}
