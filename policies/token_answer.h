// What an answer of the token endpoint means (RFC 6749 sections 5.1 and 5.2, and the vendor's own ways). Only one thing
// ends a grant: `invalid_grant`. The vendor's 400 can also mean a location that is not active just now, or a fault that
// passes. Pure; any thread.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <variant>

#include "policies/credentials.h"

namespace policies {

// A new access token and, from a refresh or a code, the refresh token that comes next. Secrets: whoever takes them
// wipes them.
struct TokenPair {
  std::string access_token;
  std::string refresh_token;  // empty: the one that was used stays good (RFC 6749 section 6)
  std::chrono::seconds life{0};
  std::string scope;
  std::optional<GrantKind> kind;  // as far as it says
  std::string subject;            // the location or company it is for; empty where it does not say
  std::string company;
};

struct GrantRefused {};  // invalid_grant: for good

struct TokenFault {
  enum class Reason {
    NoAnswer,       // no connection, a time limit, a broken answer: whether it was processed is not known
    Failing,        // 5xx
    Busy,           // 429
    ClientRefused,  // invalid_client or unauthorized_client: client_id or client_secret is wrong
    Refused,        // another 4xx: 'Location is not active', a passing fault
    Unreadable,     // 2xx that holds no token
    Malformed,      // 2xx whose access token has other characters than RFC 6749 appendix A.12 allows
  };
  Reason reason = Reason::NoAnswer;
  std::string refresh_token{};  // that came with a 2xx all the same: the one that was used is spent. A secret
};
std::string_view to_string(TokenFault::Reason reason);  // log field and label

using TokenAnswer = std::variant<TokenPair, GrantRefused, TokenFault>;
TokenAnswer read_token_answer(int status, std::string_view body);

}  // namespace policies
