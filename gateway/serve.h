// The gateway as a running process: log, metrics, admin address, public address, signals. Blocks until it is told to
// end.
#pragma once

#include <memory>

#include "gateway/config/settings.h"

namespace gateway {

// SIGTERM or SIGINT stops accepting, lets requests in flight finish for 30 s at most and returns 0; a second one ends
// the process at once. Returns 1 when it cannot start, having logged why. SIGPIPE is ignored; core dumps, which would
// hold secrets, are off. Logs one "listening" event for each address, with name ("gateway", "admin") and address as
// bound.
int serve(std::shared_ptr<const config::Settings> settings);

}  // namespace gateway
