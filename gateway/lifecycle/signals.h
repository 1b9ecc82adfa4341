// The signals that a running gateway acts on, read from a descriptor: SIGTERM and SIGINT end it, SIGHUP reads the
// settings again, SIGUSR2 hands over to a new process. Made by the main thread before any other: they are blocked in it
// and in all threads it starts. SIGPIPE is ignored.
#pragma once

#include <chrono>
#include <csignal>
#include <initializer_list>

namespace gateway::lifecycle {

class Signals {
 public:
  Signals();
  ~Signals();
  Signals(const Signals&) = delete;
  Signals& operator=(const Signals&) = delete;

  // The next signal; 0 when one of the descriptors (-1: none) is readable before, or nothing came in time.
  int wait(std::initializer_list<int> others, std::chrono::milliseconds limit) const;

  // From now on the process ends, because of `by`, and nobody waits any more. Who asks twice for the end (SIGTERM,
  // SIGINT) gets it at once; SIGHUP and SIGUSR2 do nothing, since requests are still under way. Main thread.
  static void ending(int by);

 private:
  sigset_t set_;
  int fd_ = -1;
};

}  // namespace gateway::lifecycle
