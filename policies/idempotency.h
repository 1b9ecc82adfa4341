// Idempotency-Key (draft-ietf-httpapi-idempotency-key-header-06): what a POST that carries a key may do, given what is
// kept about that key, and how that changes. Pure functions on one record; where records are kept, and that each call
// is one atomic step there, is the store's business (gateway/idempotency: in the process, and the same in Lua).
//
// The order of a keyed POST:
//   1. claim(): nobody else works on the key, or its owner's lease ran out;
//   2. Send, kept before the first byte leaves: from here on a dead owner leaves a doubt, not a free key;
//   3. Learn, the upstream's answer, as soon as it is there; a dead owner from here on leaves the answer;
//   4. Settle, once readers can no longer see the state from before the write: repeats get the answer.
// Whoever knows the answer may say so, even one whose lease ran out meanwhile; everything else is the owner's.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "policies/instant.h"

namespace policies {

inline constexpr std::size_t kLongestIdempotencyKey = 255;

// The key of a field value: a structured string ("…", RFC 9651 section 3.3.3) or, as many clients send it, the bare
// characters. Nothing where it is empty, too long, or holds what a visible-ASCII key cannot.
std::optional<std::string> parse_idempotency_key(std::string_view value);

enum class IdempotencyPhase : std::uint8_t {
  UnderWay,  // nothing has been sent
  Sent,      // it may have reached the upstream
  Learned,   // the answer is known, readers may not see the write yet
  Settled,   // the answer is what every repeat gets
};

struct IdempotencyRecord {
  std::string fingerprint;  // a digest of what must be equal in a repeat, made by the caller
  std::string owner;        // whoever works on it, a name never used before
  IdempotencyPhase phase = IdempotencyPhase::UnderWay;
  Instant lease_until{0};  // without renewal the owner is taken for dead then
  Instant sent_at{0};
  std::string answer;  // of Learned and Settled
};

enum class IdempotencyClaim : std::uint8_t {
  Fresh,       // yours: nothing was ever sent
  Doubt,       // yours: an earlier owner may have sent it, and nobody knows what came of it
  Learned,     // yours: an earlier owner left its answer; finish the write
  Replay,      // answer with what is kept
  InProgress,  // its owner lives: ask again later
  Mismatch,    // the key was used for another request: 422
};
std::string_view to_string(IdempotencyClaim claim);
// Asked again by the same owner (a reply was lost), it answers the same.
IdempotencyClaim claim_idempotency_key(std::optional<IdempotencyRecord>& record, std::string_view fingerprint,
                                       std::string_view owner, Instant now, Duration lease);

enum class IdempotencyStep : std::uint8_t {
  Renew,       // the owner lives
  Send,        // about to be sent: only where this is true may it be
  NotApplied,  // what was sent surely had no effect: as before it
  Learn,       // with the answer
  Settle,      // with the answer
  Doubt,       // sent, and what came of it is not known: whoever repeats may look
  Release,     // surely not applied, and it ends here: the key is as if never used
};
// False: the key is no longer the owner's, and nothing was changed. A record that was lost meanwhile (eviction, a Redis
// that came back empty) is made again from what the owner knows.
bool advance_idempotency_key(std::optional<IdempotencyRecord>& record, std::string_view fingerprint,
                             std::string_view owner, IdempotencyStep step, std::string_view answer, Instant now,
                             Duration lease);

// What an answer says about its request.
enum class IdempotencyVerdict : std::uint8_t {
  Keep,        // it is the outcome: repeats get it
  NotApplied,  // it proves that nothing was done and may differ next time (401 of a replaced token, 403, 408, 429)
  Doubt,       // 5xx: it may have been applied all the same
};
IdempotencyVerdict judge_idempotent_answer(int status);

}  // namespace policies
