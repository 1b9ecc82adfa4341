// How keys of clients and of the admin address are kept: salted and hashed, "sha256:SALT:HASH" in lower-case
// hexadecimal, 16 bytes of salt and HMAC-SHA-256 (RFC 2104) of the key under it. A fast hash is right here and not for
// passwords: keys are 32 random bytes (new_key), which nobody finds by trying, and a slow one would be paid by every
// new connection. Any thread.
#pragma once

#include <string>
#include <string_view>

namespace gateway::access {

// The least a key may have: shorter ones could be found by trying.
inline constexpr std::size_t kShortestKey = 20;

std::string new_key();                       // "cgk_" and 43 characters, from the kernel's randomness
std::string hash_key(std::string_view key);  // a new salt each time
// Whether `key` is the one that was hashed. Time does not depend on where a wrong one differs. False for a malformed
// hash.
bool key_matches(std::string_view key, std::string_view hash);

}  // namespace gateway::access
