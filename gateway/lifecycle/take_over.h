// Handing the listening sockets over to a new process of the same program, so that no client sees a refused or reset
// connection (nginx' way): SIGUSR2 starts it with the sockets inherited; when it says that it is ready, this one stops
// accepting and drains. A new one that fails to start, or is not ready in time, changes nothing.
//
// 1. The kernel's queue of connections belongs to the socket, not to a process: both accept from it for a moment, and
//    it never closes.
// 2. Clients that are connected here stay here. Answers say `Connection: close` from then on; an idle connection is
//    kept for one more request, since its client may be sending at this very moment.
// 3. The new process learns of the end of this one by a pipe that closes with it (see exchange::Service::share_memory).
//
// One thread.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <string>
#include <vector>

#include "gateway/server/server.h"

namespace gateway::lifecycle {

class TakeOver {
 public:
  // What the new process finds in its environment.
  static constexpr const char* kSockets =
      "CONTACTS_GATEWAY_SOCKETS";  // a line each: descriptor,owns file (0, 1),address
  static constexpr const char* kReady = "CONTACTS_GATEWAY_READY_FD";              // to be written to when ready
  static constexpr const char* kPredecessor = "CONTACTS_GATEWAY_PREDECESSOR_FD";  // closes when this process ends
  static constexpr std::chrono::seconds kLimit{60};                               // for the new one to be ready

  TakeOver();  // notes by which path and with which arguments this process was started
  ~TakeOver();
  TakeOver(const TakeOver&) = delete;
  TakeOver& operator=(const TakeOver&) = delete;

  // Starts the new process. Throws std::runtime_error, in words for an operator, when it cannot.
  void begin(const std::vector<server::AdoptedSocket>& sockets);
  bool under_way() const { return pid_ > 0; }
  pid_t pid() const { return pid_; }
  int fd() const { return ready_; }  // readable when step() has something to say; -1 while none is under way

  enum class Step { Waiting, Ready, Failed };
  Step step();                                    // Failed: it is gone, killed where it was too slow
  void abandon();                                 // kills it
  std::string reason() const { return reason_; }  // of Failed

 private:
  void end(bool kill);

  std::string program_;
  std::vector<std::string> arguments_;
  pid_t pid_ = -1;
  int ready_ = -1;
  int life_ = -1;  // held open to the end
  std::chrono::steady_clock::time_point deadline_;
  std::string reason_;
};

}  // namespace gateway::lifecycle
