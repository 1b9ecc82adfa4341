// MurmurHash3 x64 128 (Austin Appleby, public domain algorithm), seed 0: quick, spreads well, not cryptographic. The
// same on all machines. Pure; any thread.
#pragma once

#include <cstdint>
#include <string_view>

namespace policies {

struct Hash128 {
  std::uint64_t high = 0;
  std::uint64_t low = 0;
  bool operator==(const Hash128&) const = default;
};
Hash128 hash128(std::string_view bytes);

}  // namespace policies
