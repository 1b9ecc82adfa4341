#include "tests/simulator/timer.h"

namespace simulator {

Timer::Timer() : thread_([this] { run(); }) {}

Timer::~Timer() {
  {
    const Lock lock(mutex_);
    stopping_ = true;
  }
  changed_.notify_all();
  thread_.join();
}

void Timer::after(std::chrono::microseconds delay, std::function<void()> callback) {
  const Lock lock(mutex_);
  const auto added = due_.emplace(std::chrono::steady_clock::now() + delay, std::move(callback));
  if (added == due_.begin()) changed_.notify_all();
}

void Timer::run() {
  for (;;) {
    std::function<void()> callback;
    {
      const Lock lock(mutex_);
      while (!stopping_ && (due_.empty() || due_.begin()->first > std::chrono::steady_clock::now())) {
        if (due_.empty()) {
          changed_.wait(mutex_);
        } else {
          const Moment next = due_.begin()->first;
          changed_.wait_until(mutex_, next);
        }
      }
      if (stopping_) return;
      callback = std::move(due_.begin()->second);
      due_.erase(due_.begin());
    }
    callback();
  }
}

}  // namespace simulator
