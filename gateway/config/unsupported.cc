#include "gateway/config/load.h"

namespace gateway::config {

std::vector<std::string_view> unsupported_settings() {
  return {
      "passthrough",
      "tracing",
      "server.memory_limit",
  };
}

}  // namespace gateway::config
