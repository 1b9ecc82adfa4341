#include "gateway/admin/ready_parts.h"

#include <algorithm>

namespace gateway::admin {

ReadyPart listeners_part(bool draining, std::size_t connections, std::size_t most) {
  if (draining) return {"listeners", false, "no new connection is taken: the gateway is ending"};
  if (connections >= most)
    return {"listeners", false, "all " + std::to_string(most) + " connections are in use: another one gets 503"};
  return {"listeners", true, ""};
}

ReadyPart memory_part(bool refusing, std::uint64_t limit) {
  if (!refusing) return {"memory", true, ""};
  return {"memory", false,
          "more than server.memory_limit (" + std::to_string(limit) +
              " bytes) is in use: what memory cannot answer gets 503"};
}

ReadyPart upstream_part(const std::vector<std::string>& open) {
  if (open.empty()) return {"upstream", true, ""};
  constexpr std::size_t kNamed = 3;
  std::string names;
  for (std::size_t i = 0; i < std::min(open.size(), kNamed); ++i) names.append(i == 0 ? "" : ", ").append(open[i]);
  if (open.size() > kNamed) names += " and " + std::to_string(open.size() - kNamed) + " more";
  return {"upstream", true,
          "it fails for " + names + ": the circuit is open, what is cached is answered and the rest gets 503"};
}

}  // namespace gateway::admin
