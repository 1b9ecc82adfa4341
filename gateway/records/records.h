// The handlers of the gateway's own paths for records (whole_record.h, reconciliation.h), given to the router when it
// is made, before the servers start. Outlives every coroutine it starts.
#pragma once

#include "gateway/records/reconciliation.h"
#include "gateway/records/whole_record.h"

namespace gateway::records {

class Records {
 public:
  Records(asio::io_context& io, const exchange::Calls& calls, exchange::OwnPaths& paths)
      : whole_(io, calls), reconciliation_(io, calls) {
    paths.handle("get-record", [this](const auto& request) { whole_.serve(request); });
    paths.handle("get-records", [this](const auto& request) { reconciliation_.serve(request); });
  }
  void end_all() { reconciliation_.end_all(); }  // any thread

 private:
  WholeRecord whole_;
  Reconciliation reconciliation_;
};

}  // namespace gateway::records
