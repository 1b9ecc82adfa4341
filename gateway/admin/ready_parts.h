// What /readyz says of the parts that make whether the gateway is of use, from what they count. Pure.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "gateway/admin/admin.h"

namespace gateway::admin {

// Not ready while nobody new gets in: another replica should be asked.
ReadyPart listeners_part(bool draining, std::size_t connections, std::size_t most);

// Not ready while nearly everybody is refused: a replica with memory to spare should be asked. `limit`: in bytes.
ReadyPart memory_part(bool refusing, std::uint64_t limit);

// Ready even with open circuits, since what is cached is still answered and the upstream is the same for every replica.
// `open`: their locations, which "other" stands for where they are too many to name.
ReadyPart upstream_part(const std::vector<std::string>& open);

}  // namespace gateway::admin
