#include "gateway/admin/operations.h"

#include <ostream>

#include "gateway/cli/commands.h"
#include "gateway/cli/exit_code.h"

namespace gateway::cli {

int operations(bool json, std::ostream& out) {
  const auto& catalogue = policies::Catalogue::builtin();
  const auto& triggers = policies::Triggers::builtin();
  out << (json ? admin::operations_json(catalogue, triggers) : admin::operations_table(catalogue, triggers));
  return kDone;
}

}  // namespace gateway::cli
