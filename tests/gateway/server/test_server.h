// A server on a free port whose handler is a function of the test.
#pragma once

#include <atomic>
#include <condition_variable>
#include <functional>
#include <mutex>
#include <string>
#include <vector>

#include "gateway/server/server.h"

namespace gateway::server::test {

using OnRequest = std::function<void(const RequestView&, Reply)>;

class TestServer {
 public:
  explicit TestServer(OnRequest on_request, Limits limits = {}, std::size_t threads = 1,
                      std::vector<std::string> addresses = {"127.0.0.1:0"},
                      std::shared_ptr<const TlsContext> tls = nullptr);
  ~TestServer() { server.stop(); }

  std::string address() const { return server.addresses().front(); }
  std::string last_refusal() const { return last_refusal_.load(); }

  std::atomic<int> refusals{0};

 private:
  class Adapter;
  OnRequest on_request_;
  std::atomic<const char*> last_refusal_{""};

 public:
  Server server;
};

// Something that happens on another thread, waited for with a deadline.
class Event {
 public:
  void set();
  bool wait(std::chrono::milliseconds limit = std::chrono::milliseconds(10'000));
  bool is_set();

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  bool set_ = false;
};

Response text(std::string body, int status = 200);
// What a handler saw, as one line for each part: what was parsed can be compared at a glance.
std::string describe(const RequestView& request);
// Answers every request with describe().
void echo(const RequestView& request, Reply reply);

}  // namespace gateway::server::test
