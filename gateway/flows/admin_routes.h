// The flows' routes on the admin address, which `contacts-gateway flows` uses too:
//   - GET /flows: {"flows":[{name, about, on, file, steps}], "queued", "due", "dead", "lag_ms", "letters":[…]}
//   - GET /flows/letter?run=ID: one dead letter with its event's body and its steps' answers (personal data)
//   - POST /flows/retry, {"run":ID} or {"all":true}: {"retried":N}
//   - POST /flows/drop, the same: {"dropped":N}
// 503 while Redis is away; 404 where there is no such letter. Called on the admin server's workers; the store is asked
// on the Asio thread.
#pragma once

#include <asio/io_context.hpp>
#include <memory>
#include <vector>

#include "gateway/admin/admin.h"
#include "gateway/flows/flow_files.h"
#include "gateway/flows/store.h"

namespace gateway::flows {

struct AdminParts {
  asio::io_context& io;
  Store& store;
  std::shared_ptr<const Flows> flows;
};
std::vector<admin::Route> admin_routes(AdminParts parts);

}  // namespace gateway::flows
