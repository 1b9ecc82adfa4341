// A new process takes the listening sockets over while clients are at it: none of them may notice.
#include <doctest/doctest.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <atomic>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <mutex>
#include <thread>

#include "tests/support/eventually.h"
#include "tests/support/gateway_process.h"
#include "tests/support/http_client.h"
#include "tests/support/json.h"
#include "tests/support/paths.h"
#include "tests/support/redis_server.h"
#include "tests/support/simulator_process.h"

using namespace test_support;
using namespace std::chrono_literals;

namespace {

constexpr auto kLimit = 20s;
const std::string kContact = "/contacts/contact0000000000001";

int count_of(const std::string& text, const std::string& part) {
  int count = 0;
  for (auto at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) ++count;
  return count;
}

bool ended(pid_t pid) {
  std::ifstream stat("/proc/" + std::to_string(pid) + "/stat");
  std::string text;
  std::getline(stat, text);
  return text.empty() || text.find(") Z ") != std::string::npos;
}

struct Rig {
  explicit Rig(std::vector<std::pair<std::string, std::string>> more = {}) {
    folder.write("gateway.json", R"({"credentials":{"token":"simulator-token"}})");
    more.emplace_back("log.requests", "off");
    more.emplace_back("rate_limit.requests", "1000000");  // memory is not used while two processes answer
    more.emplace_back("rate_limit.daily", "10000000");
    gateway.emplace(GatewayOptions{
        .upstream = simulator.url(), .settings = std::move(more), .config_file = folder.path() / "gateway.json"});
  }
  std::string log() { return gateway->process().output(Stream::Error); }
  // The n-th time that the program says so.
  bool logged(const std::string& event, int times) {
    return eventually(kLimit, [&] { return count_of(log(), "\"event\":\"" + event + "\"") >= times; });
  }
  pid_t successor() {  // the last one
    const auto text = log();
    const auto at = text.find("\"pid\":", text.rfind("\"event\":\"handed_over\""));
    return at == std::string::npos ? -1 : std::stoi(text.substr(at + 6));
  }

  TempDir folder;
  SimulatorProcess simulator{{.arguments = {"--limit", "0"}}};
  std::optional<GatewayProcess> gateway;
};

// Clients that ask again and again, on kept connections and on new ones, reading and writing.
class Load {
 public:
  explicit Load(std::string address) : address_(std::move(address)) {
    for (int i = 0; i < 4; ++i) threads_.emplace_back([this, i] { run(i); });
  }
  ~Load() { stop(); }
  void stop() {
    over_ = true;
    threads_.clear();
  }
  std::atomic<int> asked{0}, failed{0};
  std::string first_failure() {
    const std::lock_guard lock(mutex_);
    return first_;
  }

 private:
  void run(int number) {
    HttpClient kept(address_);
    const HttpRequest write{.method = "PUT",
                            .target = "/contacts/contact000000000000" + std::to_string(number + 2),
                            .fields = {{"Content-Type", "application/json"}},
                            .body = R"({"firstName":"Load"})"};
    for (int i = 0; !over_; ++i) {
      try {
        if (number % 2 == 1) kept.close();  // a new connection for each request
        const auto answer = i % 8 == 0 ? kept.send(write) : kept.get(kContact);
        if (answer.status != 200) fail(std::to_string(answer.status) + " " + answer.body);
      } catch (const HttpError& e) {
        fail(e.what());
      }
      ++asked;
    }
  }
  void fail(const std::string& what) {
    const std::lock_guard lock(mutex_);
    if (failed++ == 0) first_ = what;
  }

  std::string address_;
  std::atomic<bool> over_{false};
  std::mutex mutex_;
  std::string first_;
  std::vector<std::jthread> threads_;
};

void hand_over_under_load(Rig& rig, const std::string& address, int times) {
  Load load(address);
  for (int i = 1; i <= times; ++i) {
    const int before = load.asked;
    REQUIRE(eventually(kLimit, [&] { return load.asked > before + 20; }));
    const pid_t old = i == 1 ? rig.gateway->process().pid() : rig.successor();
    REQUIRE(::kill(old, SIGUSR2) == 0);
    REQUIRE(rig.logged("handed_over", i));
    REQUIRE(eventually(kLimit, [&] { return ended(old); }));
    REQUIRE(rig.logged("predecessor_ended", i));
  }
  const int before = load.asked;
  CHECK(eventually(kLimit, [&] { return load.asked > before + 20; }));
  load.stop();
  CHECK_MESSAGE(load.failed == 0, load.first_failure());
  CHECK(count_of(rig.log(), "\"event\":\"requests_cut\"") == 0);
}

}  // namespace

TEST_SUITE("take-over") {
  TEST_CASE("no request fails while one process takes over from another, twice") {
    Rig rig;
    hand_over_under_load(rig, rig.gateway->address(), 2);
    const auto ready = HttpClient(rig.gateway->admin_address()).get("/readyz");
    CHECK(ready.status == 200);
  }

  TEST_CASE("a unix socket is taken over too, and its file goes with the last process") {
    const TempDir folder;
    const std::string path = folder.path() / "gateway.sock";
    Rig rig({{"listen", "unix:" + path}});
    hand_over_under_load(rig, "unix:" + path, 1);
    CHECK(std::filesystem::exists(path));
    const pid_t last = rig.successor();
    ::kill(last, SIGINT);
    CHECK(eventually(kLimit, [&] { return ended(last); }));
    CHECK_FALSE(std::filesystem::exists(path));
  }

  TEST_CASE("what is written through the old process is read through the new one, with and without Redis") {
    RedisServer redis;
    for (const bool shared : {false, true}) {
      CAPTURE(shared);
      std::vector<std::pair<std::string, std::string>> more;
      if (shared) more.emplace_back("redis.url", redis.url());
      Rig rig(more);
      HttpClient old_connection(rig.gateway->address());
      const auto write = [&](const std::string& name) {
        const auto written = old_connection.send({.method = "PUT",
                                                  .target = kContact,
                                                  .fields = {{"Content-Type", "application/json"}},
                                                  .body = "{\"firstName\":\"" + name + "\"}"});
        CHECK(written.status == 200);
        return written.field("Connection");
      };
      const auto read = [&] {
        return Json(HttpClient(rig.gateway->address()).get(kContact).body).text("contact.firstName");
      };
      write("Before");
      rig.gateway->process().signal(SIGUSR2);
      REQUIRE(rig.logged("handed_over", 1));
      REQUIRE(rig.logged("ending", 1));
      // New connections are the new process' from here on, and this one is still the old's.
      CHECK(read() == "Before");
      CHECK(read() == "Before");
      CHECK(write("After") == "close");
      CHECK(read() == "After");
      CHECK(rig.logged("predecessor_ended", 1));
    }
  }

  TEST_CASE("a new process that cannot start leaves the old one serving, memory and all") {
    Rig rig;
    HttpClient client(rig.gateway->address());
    rig.folder.write("gateway.json", R"({"credentials":{"token":"simulator-token"},"nonsense":1})");
    rig.gateway->process().signal(SIGUSR2);
    CHECK(rig.logged("takeover_failed", 1));
    CHECK(rig.log().find("it ended with code 2") != std::string::npos);
    CHECK(rig.log().find("nonsense") != std::string::npos);
    client.get(kContact);
    CHECK(client.get(kContact).field("Cache-Status").find("hit") != std::string::npos);
    client.close();
    rig.folder.write("gateway.json", R"({"credentials":{"token":"simulator-token"}})");
    hand_over_under_load(rig, rig.gateway->address(), 1);
  }

  TEST_CASE("a process that ends finishes its requests whatever it is told, but the end itself a second time") {
    for (const bool handed_over : {false, true}) {
      CAPTURE(handed_over);
      Rig rig;
      const pid_t pid = rig.gateway->process().pid();
      HttpClient(rig.simulator.address())
          .send({.method = "POST",
                 .target = "/_simulator/faults",
                 .body = R"({"match":{"method":"PUT"},"fault":"latency=3s","count":1})"});
      HttpClient client(rig.gateway->address(), 30s);
      const HttpRequest put{.method = "PUT",
                            .target = kContact,
                            .fields = {{"Content-Type", "application/json"}},
                            .body = R"({"firstName":"Last"})"};
      client.write(to_bytes(put, "gateway"));
      ::kill(pid, handed_over ? SIGUSR2 : SIGTERM);
      REQUIRE(rig.logged("ending", 1));
      ::kill(pid, SIGHUP);
      ::kill(pid, SIGUSR2);
      if (handed_over) ::kill(pid, SIGTERM);  // the end is asked for once
      CHECK(client.read("PUT").status == 200);
      client.close();
      REQUIRE(eventually(kLimit, [&] { return ended(pid); }));
      if (handed_over) CHECK(rig.logged("predecessor_ended", 1));
      if (!handed_over) CHECK(rig.gateway->process().wait_for_exit(kLimit) == 0);
    }
  }

  TEST_CASE("a process that is told twice to end ends at once") {
    Rig rig;
    HttpClient(rig.simulator.address())
        .send({.method = "POST", .target = "/_simulator/faults", .body = R"({"fault":"hang","count":1})"});
    HttpClient client(rig.gateway->address(), 30s);
    client.write(to_bytes({.target = kContact}, "gateway"));
    auto& process = rig.gateway->process();
    process.signal(SIGTERM);
    REQUIRE(rig.logged("ending", 1));
    process.signal(SIGTERM);
    CHECK(process.wait_for_exit(kLimit) == 128 + SIGTERM);
  }

  TEST_CASE("a socket that systemd passes is served, and its file stays systemd's") {
    const TempDir folder;
    SimulatorProcess simulator;
    const std::string path = folder.path() / "activated.sock";
    const int fd = ::socket(AF_UNIX, SOCK_STREAM, 0);
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    path.copy(address.sun_path, sizeof address.sun_path - 1);
    REQUIRE(::bind(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0);
    REQUIRE(::listen(fd, 16) == 0);
    // As systemd does it: descriptor 3, and the variables for the very process.
    const std::string start = "exec 3<&" + std::to_string(fd) + "; LISTEN_PID=$$ LISTEN_FDS=1 exec " + binary_dir() +
                              "/contacts-gateway serve";
    Process process(
        {.arguments = {"bash", "-c", start},
         .environment = {"GATEWAY_LISTEN=unix:" + path, "GATEWAY_ADMIN_LISTEN=127.0.0.1:0",
                         "GATEWAY_CREDENTIALS_TOKEN=simulator-token", "GATEWAY_UPSTREAM_URL=" + simulator.url()},
         .unset_prefix = "GATEWAY_"});
    ::close(fd);
    REQUIRE(process.wait_for_line(Stream::Error, "\"name\":\"gateway\"", kLimit));
    CHECK(HttpClient("unix:" + path).get(kContact).status == 200);
    process.signal(SIGINT);
    CHECK(process.wait_for_exit(kLimit) == 0);
    CHECK(std::filesystem::exists(path));  // systemd's own
  }
}
