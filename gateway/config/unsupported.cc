#include "gateway/config/load.h"

namespace gateway::config {

std::vector<std::string_view> unsupported_settings() { return {}; }

}  // namespace gateway::config
