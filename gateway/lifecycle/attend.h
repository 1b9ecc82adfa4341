// What the main thread does while the others serve: waits for signals, for changed files, for a new process to be ready
// to take over, and for the predecessor's end.
#pragma once

#include <chrono>
#include <functional>
#include <vector>

#include "gateway/lifecycle/inherited.h"
#include "gateway/lifecycle/reload.h"
#include "gateway/lifecycle/signals.h"
#include "gateway/lifecycle/take_over.h"

namespace gateway::lifecycle {

struct Attended {
  const Signals& signals;
  Reload& reload;
  TakeOver& take_over;
  Inherited& inherited;
  std::function<std::vector<server::AdoptedSocket>()> sockets;
  std::function<void(bool with_another_process)> share_memory;
  // After the predecessor's end: how long what it wrote may still be on its way into the upstream's indexes.
  std::chrono::milliseconds rest{0};
};

// Until the process is to end: SIGTERM or SIGINT, or SIGUSR2 when a new process has taken over.
int attend(Attended attended);

}  // namespace gateway::lifecycle
