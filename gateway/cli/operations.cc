#include "gateway/admin/operations.h"

#include <ostream>

#include "gateway/cli/commands.h"
#include "gateway/cli/exit_code.h"

namespace gateway::cli {

int operations(bool json, std::ostream& out) {
  const auto& catalogue = policies::Catalogue::builtin();
  const auto& own = policies::Catalogue::own();
  const auto& triggers = policies::Triggers::builtin();
  out << (json ? admin::operations_json(catalogue, own, triggers) : admin::operations_table(catalogue, own, triggers));
  return kDone;
}

}  // namespace gateway::cli
