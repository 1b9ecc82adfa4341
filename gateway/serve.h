// The gateway as a running process: log, metrics, admin address, public address, signals. Blocks until it is told to
// end.
#pragma once

#include "gateway/config/load.h"

namespace gateway {

// SIGTERM or SIGINT stops accepting, lets requests in flight finish for 30 s at most and returns 0; a second one ends
// the process at once. Returns 1 when it cannot start, having logged why. SIGPIPE is ignored; core dumps, which would
// hold secrets, are off. Logs one "listening" event for each address, with name ("gateway", "admin") and address as
// bound. SIGHUP reads the settings again from where `inputs` say; secrets' and certificates' files are read again when
// they change (lifecycle/reload.h). SIGUSR2 hands the listening sockets to a new process (lifecycle/take_over.h).
int serve(config::Inputs inputs, config::Loaded loaded);

}  // namespace gateway
