// Who may call: fixed tokens, and OAuth 2.0 as the vendor does it, with access tokens that end, refresh tokens that
// work once, company tokens that make location tokens; and the books of refresh tokens. Pure but for the given random
// source.
#pragma once

#include <chrono>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "tests/simulator/call.h"
#include "tests/simulator/ids.h"

namespace simulator {

inline constexpr const char* kEveryScope =
    "contacts.readonly contacts.write opportunities.readonly opportunities.write businesses.readonly businesses.write "
    "locations/customFields.readonly locations/customFields.write campaigns.readonly workflows.readonly "
    "users.readonly users.write forms.readonly forms.write";

// Whom an access or refresh token speaks for.
struct Grant {
  std::string app;       // the OAuth client's id, or "private" for a private integration token
  std::string location;  // empty: every location (a private token), or a company's token
  std::string company;   // set for a company's token, which reads no contacts
  std::string scope = kEveryScope;
  bool operator==(const Grant&) const = default;
};

struct OauthClient {
  std::string id;
  std::string secret;
};

struct CredentialOptions {
  std::vector<std::pair<std::string, std::string>> location_tokens;  // location, token
  std::string token;                                                 // good for every location
  std::vector<OauthClient> clients;
  std::chrono::milliseconds access_token_life{86'399'000};
  std::string scope = kEveryScope;
};

struct RefreshBook {
  std::size_t issued = 0;
  std::size_t uses = 0;        // with a token that was good then
  std::size_t used_again = 0;  // with a token that had been used before
  std::size_t unknown = 0;     // with a token that never was
};

class Credentials {
 public:
  Credentials(CredentialOptions options, std::uint64_t seed);

  // The grant of an `Authorization: Bearer …` value while it lives; null where there is none.
  const Grant* check(std::string_view authorization, std::chrono::microseconds now) const;

  // POST /oauth/token, form-encoded. `now` starts the new token's life.
  Answer token_request(const Call& call, std::chrono::microseconds now);
  // POST /oauth/locationToken, form-encoded or JSON; `company` is the caller's grant.
  Answer location_token(const Grant& company, const std::string& company_id, const std::string& location,
                        std::chrono::microseconds now);

  // Seeds: a code or refresh token that works once from now on.
  void add_code(const std::string& code, Grant grant) { codes_[code] = std::move(grant); }
  void add_refresh_token(const std::string& token, Grant grant);
  std::string new_code(Grant grant);
  std::string new_refresh_token(Grant grant);

  // Ends access tokens: the named one, or all of a location, or all (both empty). Answers how many.
  std::size_t revoke(const std::string& access_token, const std::string& location);
  bool revoke_refresh_token(const std::string& token) { return refresh_.erase(token) > 0; }

  const RefreshBook& book() const { return book_; }
  void clear_book() { book_ = {}; }
  const OauthClient* client(std::string_view id) const;
  const std::string& scope() const { return options_.scope; }

 private:
  struct Access {
    Grant grant;
    std::chrono::microseconds ends{0};
  };
  struct Refresh {
    Grant grant;
    std::size_t uses = 0;
  };
  std::optional<Grant> redeem_code(const std::string& code, const std::string& client);
  std::optional<Grant> redeem_refresh(const std::string& token, const std::string& client);
  std::string new_access_token(const Grant& grant, std::chrono::microseconds now);
  std::string pair_of(const Grant& grant, std::chrono::microseconds now);

  CredentialOptions options_;
  Random random_;
  std::map<std::string, Grant, std::less<>> fixed_;
  std::map<std::string, Access, std::less<>> access_;
  std::map<std::string, Refresh> refresh_;
  std::map<std::string, Grant> codes_;
  RefreshBook book_;
};

}  // namespace simulator
