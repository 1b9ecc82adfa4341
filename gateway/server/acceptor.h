// The thread that accepts for all listeners and hands descriptors on. It never blocks but in poll, survives running out
// of descriptors, and before it ends it takes what the kernel has queued already.
#pragma once

#include <atomic>
#include <functional>
#include <thread>
#include <vector>

#include "gateway/server/listener.h"

namespace gateway::server {

class Acceptor {
 public:
  using Accepted = std::function<void(int fd)>;  // on the acceptor's thread; takes the descriptor

  Acceptor(std::vector<Listener> listeners, Accepted accepted);
  ~Acceptor() { stop(); }

  // Empty after stop(). The owner's thread.
  const std::vector<Listener>& listeners() const { return listeners_; }
  std::vector<Listener>& listeners() { return listeners_; }
  void start();
  void stop();  // joins and closes the listeners; harmless when not started or done already

 private:
  void run();
  void accept_all(int listener);
  bool shed(int listener);

  std::vector<Listener> listeners_;
  Accepted accepted_;
  int wake_ = -1;
  int spare_ = -1;  // given up to accept and close one client when there are no other descriptors
  bool starved_ = false;
  std::atomic<bool> stopping_{false};
  std::thread thread_;
};

}  // namespace gateway::server
