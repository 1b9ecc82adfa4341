// An HTTP server on a free loopback port that keeps what came and gives the answer it was told to, one that never comes
// included: a collector of traces (OTLP), or an upstream of one connection. Thread-safe.
#pragma once

#include <atomic>
#include <functional>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

namespace test_support {

class Collector {
 public:
  Collector();
  ~Collector();
  Collector(const Collector&) = delete;
  Collector& operator=(const Collector&) = delete;

  std::string url() const { return "http://127.0.0.1:" + std::to_string(port_); }

  // What it answers from now on, with `fields` ("Cache-Control: max-age=60\r\n") and `body`, which HEAD gets the length
  // of; 0: nothing, the connection stays open.
  void answer(int status, const std::string& fields = {}, const std::string& body = "{}");
  struct Request {
    std::string head, body;
  };
  // 200 with `fields` and the body that this makes of each request, in the collector's thread, until answer() is
  // called.
  void answer_with(std::function<std::string(const Request&)> body_of, const std::string& fields = {});
  std::vector<Request> requests() const;
  // Every span that it took (answered 200), each as JSON text.
  std::vector<std::string> spans() const;

 private:
  void run();
  void serve(int socket);

  int listener_ = -1;
  int port_ = 0;
  std::atomic<bool> ending_{false};
  mutable std::mutex mutex_;
  int status_ = 200;
  std::string fields_, body_ = "{}";
  std::function<std::string(const Request&)> body_of_;
  std::vector<Request> requests_, taken_;
  std::thread thread_;
};

}  // namespace test_support
