#include "policies/token_answer.h"

#include <algorithm>
#include <charconv>

#include "policies/json_strings.h"

namespace policies {

namespace {

using std::chrono::seconds;

std::string member(std::string_view body, std::string_view name) {
  std::string value;
  json_strings(body, name, [&](std::string_view found) {
    if (value.empty()) value = found;
  });
  return value;
}

seconds life_of(const std::string& text) {
  constexpr std::int64_t kUnsaid = 3'600, kMost = 366 * 86'400;
  std::int64_t number = kUnsaid;
  if (std::from_chars(text.data(), text.data() + text.size(), number).ec != std::errc()) number = kUnsaid;
  return seconds(std::clamp<std::int64_t>(number, 1, kMost));
}

bool is_access_token(std::string_view text) {  // RFC 6749 appendix A.12; it becomes part of a field's value
  return std::all_of(text.begin(), text.end(), [](char c) { return c >= ' ' && c <= '~'; });
}

// The location that a token is for. Where the answer does not name it, the list of approved locations does, if it has
// exactly one.
std::string location_in(std::string_view body) {
  auto location = member(body, "locationId");
  if (!location.empty()) return location;
  int approved = 0;
  json_strings(body, "approvedLocations",
               [&](std::string_view found) { location = ++approved == 1 ? found : std::string_view(); });
  return location;
}

TokenAnswer pair_in(std::string_view body) {
  TokenPair pair;
  pair.access_token = member(body, "access_token");
  pair.refresh_token = member(body, "refresh_token");
  if (pair.access_token.empty()) return TokenFault{TokenFault::Reason::Unreadable, std::move(pair.refresh_token)};
  if (!is_access_token(pair.access_token))
    return TokenFault{TokenFault::Reason::Malformed, std::move(pair.refresh_token)};
  pair.life = life_of(member(body, "expires_in"));
  pair.scope = member(body, "scope");
  pair.company = member(body, "companyId");
  const auto user = member(body, "userType");
  if (!user.empty()) pair.kind = user == "Company" ? GrantKind::Company : GrantKind::Location;
  pair.subject = pair.kind == GrantKind::Company ? pair.company : location_in(body);
  return pair;
}

}  // namespace

std::string_view to_string(TokenFault::Reason reason) {
  switch (reason) {
    case TokenFault::Reason::NoAnswer:
      return "no_answer";
    case TokenFault::Reason::Failing:
      return "failing";
    case TokenFault::Reason::Busy:
      return "busy";
    case TokenFault::Reason::ClientRefused:
      return "client_refused";
    case TokenFault::Reason::Refused:
      return "refused";
    case TokenFault::Reason::Unreadable:
      return "unreadable";
    case TokenFault::Reason::Malformed:
      return "malformed";
  }
  return "unknown";
}

TokenAnswer read_token_answer(int status, std::string_view body) {
  using Reason = TokenFault::Reason;
  if (status >= 200 && status < 300) return pair_in(body);
  if (status == 429) return TokenFault{Reason::Busy};
  if (status >= 500) return TokenFault{Reason::Failing};
  const std::string error = member(body, "error");
  if (error == "invalid_grant") return GrantRefused{};
  if (error == "invalid_client" || error == "unauthorized_client") return TokenFault{Reason::ClientRefused};
  return TokenFault{Reason::Refused};
}

}  // namespace policies
