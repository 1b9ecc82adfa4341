// Where a server may listen, and what it says where it cannot.
#include <doctest/doctest.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "tests/gateway/server/raw_client.h"
#include "tests/gateway/server/test_server.h"
#include "tests/support/temp_dir.h"

namespace gateway::server::test {
TEST_SUITE_BEGIN("server");

namespace {
const std::string kGet = "GET / HTTP/1.1\r\nHost: h\r\n\r\n";
}

TEST_CASE("an address that cannot be listened on is named with the reason") {
  TestServer taken(echo);
  struct Wrong {
    std::string address;
    std::string reason;
  };
  for (const auto& wrong :
       {Wrong{taken.address(), "Address already in use"}, Wrong{"nonsense", "want HOST:PORT, [HOST]:PORT or unix:PATH"},
        Wrong{"::1:80", "an IPv6 address needs brackets: [HOST]:PORT"},
        Wrong{"127.0.0.1:", "want HOST:PORT, [HOST]:PORT or unix:PATH"},
        Wrong{"unix:", "the path must have 1 to 107 bytes"},
        Wrong{"unix:/dev/null", "the file exists and is no socket"},
        Wrong{"127.0.0.1:http", "Name or service not known"}}) {
    CAPTURE(wrong.address);
    CHECK_THROWS_WITH_AS(Server({"test", {wrong.address}, 1, {}}, nullptr),
                         ("cannot listen on " + wrong.address + ": " + wrong.reason).c_str(), std::runtime_error);
  }
}

TEST_CASE("a socket file that nobody answers on is replaced") {
  const test_support::TempDir folder;
  const std::string path = folder.path() / "s";
  const int left_over = ::socket(AF_UNIX, SOCK_STREAM, 0);
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  path.copy(address.sun_path, sizeof address.sun_path - 1);
  REQUIRE(::bind(left_over, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0);
  ::close(left_over);
  {
    TestServer server(echo, {}, 1, {"unix:" + path});
    RawClient client(server.address());
    client.send(kGet);
    CHECK(client.answer()->status == 200);
  }
}

TEST_SUITE_END();
}  // namespace gateway::server::test
