// The simulator behind the HTTP server: turns requests into calls, lets latency pass on the timer's thread, and acts
// faults out on the connection. One Exchange is shared by all workers.
#pragma once

#include <map>
#include <memory>

#include "gateway/server/server.h"
#include "tests/simulator/mutex.h"
#include "tests/simulator/simulator.h"
#include "tests/simulator/timer.h"

namespace simulator {

// Uniform between the two; both 0: answered at once from the worker.
struct Latency {
  std::chrono::milliseconds least{0};
  std::chrono::milliseconds most{0};
};

class Exchange {
 public:
  Exchange(Simulator& api, Latency latency, std::uint64_t seed)
      : api_(api), latency_(latency), random_(seed ^ 0x1a7e) {}

  void on_call(Call call, const gateway::server::Reply& reply);

 private:
  struct Delays {
    std::chrono::microseconds before{0};  // until the call takes effect
    std::chrono::microseconds after{0};   // from there to its answer
  };
  Delays delays(const Fault& fault);
  Answer take_effect(const Call& call, const Admission& admission);
  void deliver(const Fault& fault, Answer answer, const gateway::server::Reply& reply);
  void hang(const gateway::server::Reply& reply);
  void slow_body(const gateway::server::Reply& reply, Answer answer, std::chrono::milliseconds pause);
  void next_piece(gateway::server::Reply reply, std::shared_ptr<const std::string> body, std::size_t sent,
                  std::chrono::milliseconds pause);

  Simulator& api_;
  const Latency latency_;
  Mutex mutex_;
  Random random_ SIMULATOR_GUARDED_BY(mutex_);
  std::map<std::uint64_t, gateway::server::Reply> hanging_
      SIMULATOR_GUARDED_BY(mutex_);  // kept, or they would be answered 500
  std::uint64_t next_hanging_ SIMULATOR_GUARDED_BY(mutex_) = 0;
  Timer timer_;  // last: its thread ends before what it uses
};

class ApiHandler : public gateway::server::Handler {
 public:
  explicit ApiHandler(Exchange& exchange) : exchange_(exchange) {}
  void on_request(const gateway::server::RequestView& request, gateway::server::Reply reply) override;

 private:
  Exchange& exchange_;
};

}  // namespace simulator
