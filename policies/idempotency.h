// Idempotency-Key (draft-ietf-httpapi-idempotency-key-header-06): what a POST that carries a key may do, given what is
// kept about that key. Pure functions; where the records are kept is the caller's business.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

namespace policies {

inline constexpr std::size_t kLongestIdempotencyKey = 255;

// The key of a field value: a structured string ("…", RFC 9651 section 3.3.3) or, as many clients send it, the bare
// characters. Nothing where it is empty, too long, or holds what a visible-ASCII key cannot.
std::optional<std::string> parse_idempotency_key(std::string_view value);

// What is kept about a key. `fingerprint`: a digest of method, target, location and body, made by the caller.
struct IdempotencyRecord {
  std::string fingerprint;
  bool answered = false;  // false: the first request is still under way
};

enum class IdempotencyDecision : std::uint8_t {
  Fresh,       // first of its key: go ahead and keep the answer
  Replay,      // answer with what is kept
  InProgress,  // wait for the first one's answer
  Mismatch,    // the key was used for another request: 422
};
std::string_view to_string(IdempotencyDecision decision);
IdempotencyDecision decide_idempotency(const std::optional<IdempotencyRecord>& kept, std::string_view fingerprint);

// Whether an answer settles its key. An answer that proves the request was not applied (429, and 401 for a token that
// was replaced meanwhile) or may be temporary (5xx) leaves it free for another try.
bool keeps_answer(int status);

}  // namespace policies
