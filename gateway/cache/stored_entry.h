// An upstream answer as the shared tier keeps it, with what it was fetched under.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "policies/fields.h"

namespace gateway::cache {

struct StoredEntry {
  int status = 0;
  policies::Fields fields;  // exactly as received
  std::string body;
  std::vector<std::pair<std::string, std::uint64_t>>
      generations;  // surrogate key and generation, in the order looked up
  std::uint64_t epoch = 0;
  std::int64_t stored_at_ms =
      0;  // by the tier's own clock (Redis TIME), so that replicas with other clocks agree on the age
  std::int64_t initial_age_ms = 0;
  std::int64_t fresh_ms = 0;
  std::int64_t stale_while_revalidate_ms = 0;
  std::int64_t stale_if_error_ms = 0;
  std::int64_t keep_ms = 0;
  bool must_revalidate = false;
  bool operator==(const StoredEntry&) const = default;
};

}  // namespace gateway::cache
