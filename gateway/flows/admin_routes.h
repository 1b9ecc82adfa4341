// What an operator sees and does of the flows, by the admin address (and so by `contacts-gateway flows`):
//   GET /flows               {"flows":[{name, about, on, file, steps}], "queued", "due", "dead", "lag_ms",
//   "letters":[…]} GET /flows/letter?run=ID one dead letter with its event's body and its steps' answers: personal data
//   POST /flows/retry        {"run":ID} or {"all":true} -> {"retried":N}
//   POST /flows/drop         {"run":ID} or {"all":true} -> {"dropped":N}
// 503 where Redis is away; 404 where there is no such letter.
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
