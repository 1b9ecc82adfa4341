// TLS handshakes, on threads of their own: their public-key work and their slow or silent clients hold up neither the
// acceptor nor a worker. The threads run at a lower priority than the workers, so that a flood of new clients does not
// take the processor from those that are being served.
//
// take() may be called by any thread; the callbacks of Events run on the handshake threads. A client gets its OpenSSL
// session with its first bytes: one that says nothing costs a descriptor and a list node until its time is over.
#pragma once

#include <array>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "gateway/server/tls.h"

namespace gateway::server {

enum class HandshakeResult { Done, Resumed, Failed, TimedOut, PlainHttp, Displaced };
inline constexpr std::size_t kHandshakeResults = 6;
std::string_view to_string(HandshakeResult result);

class Handshakes {
 public:
  struct Options {
    std::size_t threads = 1;
    std::chrono::milliseconds limit{10'000};  // from accept to the end of the handshake
    std::size_t most = 12'000;  // unfinished ones; one more displaces the oldest, which has had the most time
  };
  struct Events {
    std::function<void(int fd, std::shared_ptr<TlsSession> session)> done;  // takes the descriptor
    std::function<void(int fd)> plain_http;                                 // the same; nothing was read
    std::function<void(int fd)> refused;               // the same; its alert was sent, and must not be lost to a reset
    std::function<void()> lost;                        // it came to nothing and its descriptor is closed
    std::function<void(std::string_view why)> failed;  // beside lost, for the log
    std::function<std::shared_ptr<const TlsContext>()> context;  // for a new client
  };

  Handshakes(Options options, Events events);
  ~Handshakes();  // stops
  Handshakes(const Handshakes&) = delete;
  Handshakes& operator=(const Handshakes&) = delete;

  void start();
  void stop();  // joins; what is unfinished is closed
  void take(int fd);
  std::uint64_t count(HandshakeResult result) const {
    return counts_[static_cast<std::size_t>(result)].load(std::memory_order_relaxed);
  }

 private:
  class Loop;
  void add(HandshakeResult result) {
    counts_[static_cast<std::size_t>(result)].fetch_add(1, std::memory_order_relaxed);
  }

  const Options options_;
  const Events events_;
  std::array<std::atomic<std::uint64_t>, kHandshakeResults> counts_{};
  std::vector<std::unique_ptr<Loop>> loops_;
  std::atomic<std::size_t> next_{0};
};

}  // namespace gateway::server
