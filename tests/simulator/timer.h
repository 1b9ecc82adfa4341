// Runs callbacks at their time on one thread of its own: latency and slow bodies, without holding a worker. Any thread.
#pragma once

#include <chrono>
#include <condition_variable>
#include <functional>
#include <map>
#include <thread>

#include "tests/simulator/mutex.h"

namespace simulator {

class Timer {
 public:
  Timer();
  ~Timer();  // drops what is not due
  void after(std::chrono::microseconds delay, std::function<void()> callback);

 private:
  using Moment = std::chrono::steady_clock::time_point;
  void run();

  Mutex mutex_;
  std::condition_variable_any changed_;
  std::multimap<Moment, std::function<void()>> due_ SIMULATOR_GUARDED_BY(mutex_);
  bool stopping_ SIMULATOR_GUARDED_BY(mutex_) = false;
  std::thread thread_;
};

}  // namespace simulator
