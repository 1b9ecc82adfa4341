// An upstream answer as the shared tier keeps it, with what it was fetched under; also how an Idempotency-Key's answer
// is kept.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "policies/fields.h"

namespace gateway::cache {

struct StoredFacts {
  int status = 0;
  std::uint64_t epoch = 0;
  std::int64_t stored_at_ms =
      0;  // by the tier's own clock (Redis TIME), so that replicas with other clocks agree on the age
  std::int64_t initial_age_ms = 0;
  std::int64_t fresh_ms = 0;
  std::int64_t stale_while_revalidate_ms = 0;
  std::int64_t stale_if_error_ms = 0;
  std::int64_t keep_ms = 0;
  bool must_revalidate = false;
  bool operator==(const StoredFacts&) const = default;
};

struct StoredEntry : StoredFacts {
  policies::Fields fields;  // of an Idempotency-Key's answer: exactly as received
  std::string head;         // of a cache entry: as Entry::make() takes it, so that a lookup has nothing to put together
  std::string body;
  std::vector<std::pair<std::string, std::uint64_t>>
      generations;  // surrogate key and generation, in the order looked up
  bool operator==(const StoredEntry&) const = default;
};

// The same inside the value that it was read from, which outlives it.
struct StoredView : StoredFacts {
  std::vector<std::pair<std::string_view, std::string_view>> fields;
  std::string_view head;
  std::vector<std::pair<std::string_view, std::uint64_t>> generations;
  std::string_view body() const { return unpacked ? std::string_view(*unpacked) : plain_body; }
  std::string_view plain_body;
  std::optional<std::string> unpacked;  // instead, where it was stored compressed
};

}  // namespace gateway::cache
