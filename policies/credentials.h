// When a token is renewed, which grant's token a request is sent with, and what a 401 says about a token. Pure; any
// thread. Times are wall-clock ones, since replicas and restarts share them.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "policies/instant.h"
#include "policies/timestamp.h"

namespace policies {

// Whom an OAuth grant is for: one location, or an agency, whose token reads no contacts but makes locations' tokens.
enum class GrantKind : std::uint8_t { Location, Company };
std::string_view to_string(GrantKind kind);  // the vendor's `user_type`

struct TokenTimes {
  WallMillis obtained{0};
  WallMillis expires{0};
  bool operator==(const TokenTimes&) const = default;
};

// At 80 % of its life, less up to 8 %, so that replicas do not ask all at once. `jitter`: uniform in [0, 1).
WallMillis renew_at(const TokenTimes& times, double jitter);

// Whether a request may still be sent with it: until a tenth of its life, 5 s at most, before its end, since the
// request has to arrive.
bool usable(const TokenTimes& times, WallMillis now);

// After the `failures`-th failed renewal in a row (from 1): doubling from a hundredth of the token's life (50 ms to
// 1 s), 30 s at most, between half of it and all.
std::chrono::milliseconds renewal_pause(int failures, const TokenTimes& times, double jitter);

// Whether this 401 speaks of the token itself. The vendor also says 401 to a missing Version and to a missing scope,
// which no renewal cures.
bool means_token_refused(int status, std::string_view body);

// Whether a token is renewed because the upstream refused it. One that had been accepted was revoked: at once. One that
// never was may not be what is wrong: then ever more rarely (1 s, doubling to 5 minutes), so that no client's mistake
// spends refresh tokens.
class ForcedRenewals {
 public:
  bool admit(bool had_been_accepted, Instant now);

 private:
  Instant next_{0};
  Duration pause_{0};
};

// What is known of a grant when a request must be served.
struct GrantView {
  GrantKind kind = GrantKind::Location;
  std::string_view subject;  // the location or company it is for; empty: not known before its first token
  bool live = false;         // its access token may be used now
  bool ended = false;        // no renewal will bring another token
  bool gone = false;         // the app was uninstalled there
};

struct UseGrant {
  std::size_t index;
};
struct MintFrom {  // a token for the location is made with one of these, tried in this order
  std::vector<std::size_t> companies;
};
struct UnnamedGrant {  // its token is there, and neither its answer nor the settings say whose it is
  std::size_t index;
};
struct AwaitGrant {};  // one that is being renewed, or whose subject is not known yet, may turn out to be it
struct EndedGrant {
  std::size_t index;
};
struct NoGrant {};
using GrantChoice = std::variant<UseGrant, MintFrom, UnnamedGrant, AwaitGrant, EndedGrant, NoGrant>;

// `location` empty: the only one there is. A location's own grant comes before its agency's.
GrantChoice choose_grant(std::string_view location, std::span<const GrantView> grants);

// The app of a client id: what stands before its first '-', which is how INSTALL and UNINSTALL name it.
std::string_view app_of(std::string_view client_id);

// What an INSTALL or UNINSTALL event says.
struct Installation {
  bool installed = false;
  std::string app, company, location;  // location empty: the whole company
};
std::optional<Installation> read_installation(std::string_view type, std::string_view body);

}  // namespace policies
