// Spans on their way to the collector of `tracing.otlp`: gathered in a bounded queue and sent by a thread of its own as
// OTLP over HTTP in JSON, so that a collector that is slow or away costs a request nothing but the span. What does not
// fit is dropped and counted.
//
// record() may be called by any thread (a short lock, no I/O); start() and stop() by the owner. stop() sends what
// waits, for Options::last_words at most.
#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "gateway/mutex.h"
#include "gateway/tracing/otlp_json.h"
#include "gateway/tracing/span.h"

namespace gateway::tracing {

struct Options {
  std::string endpoint;  // as in the settings; empty: nothing is traced
  Resource resource;
  std::size_t queue = 8'192;                    // spans; with attributes some 5 MiB
  std::size_t batch = 512;                      // spans in one request to the collector
  std::chrono::milliseconds linger{1'000};      // how long a batch waits to be filled
  std::chrono::milliseconds timeout{5'000};     // of one request to the collector
  std::chrono::milliseconds first_pause{500};   // before a batch is tried again, doubled each time
  int tries = 4;                                // of one batch; then it is dropped and counted as failed
  std::chrono::milliseconds last_words{2'000};  // for all that waits at the end
};

class Tracer {
 public:
  explicit Tracer(Options options);
  ~Tracer();
  Tracer(const Tracer&) = delete;
  Tracer& operator=(const Tracer&) = delete;

  bool on() const { return !url_.empty(); }
  void start();
  void stop();

  void record(Span span);

  std::uint64_t sent() const { return sent_.load(std::memory_order_relaxed); }
  std::uint64_t dropped() const { return dropped_.load(std::memory_order_relaxed); }  // the queue was full
  std::uint64_t failed() const { return failed_.load(std::memory_order_relaxed); }    // the collector did not take them

 private:
  class Sender;
  void run();
  std::vector<Span> next_batch();
  void deliver(Sender& sender, const std::vector<Span>& batch);
  bool pause(std::chrono::milliseconds time);  // false: it is ending

  const Options options_;
  const std::string url_;
  std::atomic<std::uint64_t> sent_{0}, dropped_{0}, failed_{0};
  Mutex mutex_;
  std::condition_variable_any wake_;
  std::vector<Span> waiting_ GUARDED_BY(mutex_);
  bool stopping_ GUARDED_BY(mutex_) = false;
  std::chrono::steady_clock::time_point end_ GUARDED_BY(mutex_);
  std::thread thread_;
};

}  // namespace gateway::tracing
