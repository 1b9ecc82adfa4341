// A grant as a store keeps it: the refresh token that comes next, the access token that goes with it, and a version
// that counts the pairs of its chain. Since a refresh token works once, a later version is always the one to use, and
// two processes that hold the same version hold the same pair.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "gateway/config/settings.h"
#include "policies/credentials.h"

namespace gateway::token_store {

inline constexpr const char* kUninstalled = "uninstalled";

struct Grant {
  std::string id;  // grant_id(): where it is kept, never a secret
  std::string client_id;
  policies::GrantKind kind = policies::GrantKind::Location;
  std::string subject;  // the location or company; empty before its first pair
  config::Secret access_token, refresh_token;
  policies::TokenTimes times;
  std::string scope;
  std::uint64_t version = 0;  // 0: a seed that was never exchanged
  std::string seed;           // seed_mark() of the configured refresh token that the chain began with
  std::string ended;          // why no renewal will bring another pair: "invalid_grant", kUninstalled; empty: none
  bool uninstalled() const { return ended == kUninstalled; }  // the app was taken away: no token of it is used any more
  bool operator==(const Grant&) const = default;
};

// Whether `other` says more than `known`: a later pair, or that this one has ended.
bool supersedes(const Grant& other, const Grant& known);

// "CLIENT_ID/Location/ID"; the last part is empty for a configured grant that does not say whose it is.
std::string grant_id(std::string_view client_id, policies::GrantKind kind, std::string_view subject);

// Tells one configured refresh token from another without holding it.
std::string seed_mark(std::string_view refresh_token);

// All but the id, as JSON; the text holds the tokens.
std::string to_json(const Grant& grant);
// Throws std::runtime_error, without a word of the text, on what to_json() does not write.
Grant grant_from_json(std::string id, std::string_view json);

}  // namespace gateway::token_store
