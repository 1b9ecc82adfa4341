// The simulator behind a real server: faults as a client meets them, and signed webhooks as a receiver gets them.
#include <arpa/inet.h>
#include <doctest/doctest.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/simulator/handler.h"
#include "tests/simulator/webhooks.h"
#include "tests/simulator_tests/world.h"
#include "tests/support/loopback.h"

using namespace simulator;
using namespace simulator_tests;
using namespace std::chrono_literals;

namespace {

Now real_now() {
  return {std::chrono::duration_cast<std::chrono::microseconds>(std::chrono::steady_clock::now().time_since_epoch()),
          std::chrono::milliseconds(1'700'000'000'000)};
}

class Running {
 public:
  explicit Running(Latency latency = {}, EventSink* sink = nullptr)
      : api_(default_options(), real_now, sink),
        exchange_(api_, latency, 1),
        server_({"simulator", {"127.0.0.1:0"}, 1, {}},
                [this](std::size_t) { return std::make_unique<ApiHandler>(exchange_); }) {
    server_.start();
  }
  ~Running() { server_.stop(); }

  int port() const {
    const std::string address = server_.addresses().front();
    return std::stoi(address.substr(address.rfind(':') + 1));
  }

  // Every byte until the simulator closes, or until `enough` came.
  std::string talk(const std::string& request, std::string_view enough = "\x7f") const {
    const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    const auto to = test_support::loopback(static_cast<std::uint16_t>(port()));
    const timeval wait{5, 0};
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof wait);
    REQUIRE(connect(fd, reinterpret_cast<const sockaddr*>(&to), sizeof to) == 0);
    REQUIRE(send(fd, request.data(), request.size(), 0) == static_cast<ssize_t>(request.size()));
    std::string bytes;
    char chunk[4096];
    for (ssize_t count = 0;
         bytes.find(enough) == std::string::npos && (count = recv(fd, chunk, sizeof chunk, 0)) > 0;) {
      bytes.append(chunk, static_cast<std::size_t>(count));
    }
    close(fd);
    return bytes;
  }

  std::string get(const std::string& fault, const std::string& method = "GET", const std::string& body = "") const {
    std::string request =
        method + " " + kFirst + " HTTP/1.1\r\nHost: x\r\nConnection: close\r\nVersion: 2021-07-28\r\n";
    request += std::string("Authorization: ") + kToken + "\r\n";
    if (!fault.empty()) request += "X-Simulator-Fault: " + fault + "\r\n";
    request += "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body;
    return talk(request, fault == "garbage" ? "HTTP answer" : "\x7f");
  }

 private:
  Simulator api_;
  Exchange exchange_;
  gateway::server::Server server_;
};

std::size_t announced(const std::string& answer) {
  const auto at = answer.find("Content-Length: ");
  return at == std::string::npos ? 0 : std::stoul(answer.substr(at + 16));
}
std::string body_of(const std::string& answer) { return answer.substr(answer.find("\r\n\r\n") + 4); }

// Takes webhooks and hands them to the waiting test.
struct Received {
  std::string body;
  std::string signature;
};
class Receiver : public gateway::server::Handler {
 public:
  struct Inbox {
    Mutex mutex;
    std::condition_variable_any changed;
    std::vector<Received> all SIMULATOR_GUARDED_BY(mutex);
    std::size_t refuse SIMULATOR_GUARDED_BY(mutex) = 0;

    std::vector<Received> wait_for(std::size_t count) {
      const auto until = std::chrono::steady_clock::now() + 10s;
      const Lock lock(mutex);
      while (all.size() < count && std::chrono::steady_clock::now() < until) changed.wait_until(mutex, until);
      return all;
    }
  };
  explicit Receiver(Inbox& inbox) : inbox_(inbox) {}
  void on_request(const gateway::server::RequestView& request, gateway::server::Reply reply) override {
    gateway::server::Response response;
    {
      const Lock lock(inbox_.mutex);
      if (inbox_.refuse > 0) {
        --inbox_.refuse;
        response.status = 503;
      } else {
        Received one{std::string(request.body), ""};
        for (const auto& field : request.fields) {
          if (policies::same_name(field.name, "x-ghl-signature")) one.signature = field.value;
        }
        inbox_.all.push_back(one);
      }
    }
    inbox_.changed.notify_all();
    reply.send(std::move(response));
  }

 private:
  Inbox& inbox_;
};

bool verifies(const std::string& pem, const Received& received) {
  const std::unique_ptr<BIO, decltype(&BIO_free)> memory(BIO_new_mem_buf(pem.data(), -1), &BIO_free);
  const std::unique_ptr<EVP_PKEY, decltype(&EVP_PKEY_free)> key(
      PEM_read_bio_PUBKEY(memory.get(), nullptr, nullptr, nullptr), &EVP_PKEY_free);
  unsigned char signature[96];
  if (received.signature.size() != 88) return false;
  EVP_DecodeBlock(signature, reinterpret_cast<const unsigned char*>(received.signature.data()), 88);
  const std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)> context(EVP_MD_CTX_new(), &EVP_MD_CTX_free);
  EVP_DigestVerifyInit(context.get(), nullptr, nullptr, nullptr, key.get());
  return EVP_DigestVerify(context.get(), signature, 64, reinterpret_cast<const unsigned char*>(received.body.data()),
                          received.body.size()) == 1;
}

}  // namespace

TEST_SUITE("wire") {
  TEST_CASE("an answer comes whole, with latency and without") {
    for (const Latency latency : {Latency{}, Latency{1ms, 5ms}}) {
      const Running running(latency);
      const std::string answer = running.get("");
      CHECK(answer.starts_with("HTTP/1.1 200 OK\r\n"));
      CHECK(body_of(answer).size() == announced(answer));
      CHECK(answer.find("X-RateLimit-Remaining: 99\r\n") != std::string::npos);
    }
  }

  TEST_CASE("each fault is what the client meets") {
    const Running running;
    CHECK(running.get("reset-before").empty());
    CHECK(running.get("status=502").starts_with("HTTP/1.1 502"));
    CHECK(running.get("429").starts_with("HTTP/1.1 429"));
    CHECK(running.get("garbage").find("HTTP/1.1") == std::string::npos);
    CHECK(running.get("explode").starts_with("HTTP/1.1 400"));
    const std::string cut = running.get("wrong-length");
    CHECK(announced(cut) == body_of(cut).size() + 64);
    const std::string slow = running.get("slow-body=1ms");
    CHECK(body_of(slow).size() == announced(slow));
    CHECK(running.get("latency=5ms").starts_with("HTTP/1.1 200"));
  }

  TEST_CASE("a write is applied before a reset-after and not before a reset-before") {
    const Running running;
    CHECK(running.get("reset-before", "PUT", R"({"city":"Before"})").empty());
    CHECK(running.get("").find(R"("city":"Dolomite")") != std::string::npos);
    CHECK(running.get("reset-after", "PUT", R"({"city":"After"})").empty());
    CHECK(running.get("").find(R"("city":"After")") != std::string::npos);
    CHECK(running.get("status=500;applied", "PUT", R"({"city":"Applied"})").starts_with("HTTP/1.1 500"));
    CHECK(running.get("").find(R"("city":"Applied")") != std::string::npos);
  }

  TEST_CASE("webhooks arrive signed, in order, and again after a 503") {
    Receiver::Inbox inbox;
    {
      const Lock lock(inbox.mutex);
      inbox.refuse = 2;
    }
    gateway::server::Server receiver({"receiver", {"127.0.0.1:0"}, 1, {}},
                                     [&](std::size_t) { return std::make_unique<Receiver>(inbox); });
    receiver.start();
    WebhookOptions options;
    options.url = "http://" + receiver.addresses().front() + "/hook";
    options.first_pause = 1ms;
    Webhooks webhooks(options);
    Bench bench(default_options(), &webhooks);
    bench.ask("PUT", kFirst, R"({"dnd":true,"tags":["vip"]})");
    bench.ask("POST", std::string(kFirst) + "/notes", R"({"body":"hello"})");
    bench.control("POST", "/_simulator/edit", R"({"contactId":"contact0000000000001","delete":true})");
    bench.control("POST", "/_simulator/webhooks/send", R"({"event":{"type":"INSTALL"},"signature":"forged"})");
    const std::vector<Received> all = inbox.wait_for(6);
    REQUIRE(all.size() == 6);
    const Document book = std::move(*parse_json(webhooks.book()));
    const char* types[] = {"ContactUpdate", "ContactTagUpdate", "ContactDndUpdate",
                           "NoteCreate",    "ContactDelete",    "INSTALL"};
    for (std::size_t i = 0; i < all.size(); ++i) {
      const Document event = std::move(*parse_json(all[i].body));
      CHECK(view(event["type"]) == types[i]);
      CHECK(event.HasMember("webhookId"));
      CHECK(event.HasMember("timestamp"));
      CHECK(verifies(book["public_key"].GetString(), all[i]) == (i < 5));
    }
    CHECK(book["retries"].GetInt() == 2);
    receiver.stop();
  }
}
