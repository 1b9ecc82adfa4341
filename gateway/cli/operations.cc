#include "gateway/admin/operations.h"

#include <ostream>

#include "gateway/cli/commands.h"
#include "gateway/cli/exit_code.h"

namespace gateway::cli {

int operations(bool json, std::ostream& out) {
  const auto& catalogue = policies::Catalogue::builtin();
  out << (json ? admin::operations_json(catalogue) : admin::operations_table(catalogue));
  return kDone;
}

}  // namespace gateway::cli
