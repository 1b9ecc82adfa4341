#include "tests/simulator/credentials.h"

#include "tests/simulator/json.h"
#include "tests/simulator/world.h"

namespace simulator {

namespace {

constexpr std::string_view kBearer = "Bearer ";
constexpr std::string_view kUser = "user0000000000000001";

// RFC 6749 section 5.2 with the vendor's own members beside it.
Answer oauth_error(int status, std::string_view code, std::string_view description) {
  JsonWriter json;
  json.object().key("statusCode").number(static_cast<long long>(status)).member("message", description);
  json.member("error", code).member("error_description", description).end_object();
  return {status, json.take()};
}

void write_token(JsonWriter& json, const std::string& token, std::chrono::milliseconds life, const Grant& grant) {
  const auto seconds = std::max<long long>(1, life.count() / 1000);
  json.member("access_token", token).member("token_type", "Bearer").key("expires_in").number(seconds);
  json.member("scope", grant.scope).member("userType", grant.company.empty() ? "Location" : "Company");
  json.member("companyId", grant.company.empty() ? "company0000000000001" : grant.company);
  if (!grant.location.empty()) json.member("locationId", grant.location);
  json.member("userId", kUser);
}

}  // namespace

Credentials::Credentials(CredentialOptions options, std::uint64_t seed)
    : options_(std::move(options)), random_(seed ^ 0x0a07) {
  if (!options_.token.empty()) fixed_[options_.token] = {"private", "", "", options_.scope};
  for (const auto& [location, token] : options_.location_tokens)
    fixed_[token] = {"private", location, "", options_.scope};
}

const Grant* Credentials::check(std::string_view authorization, std::chrono::microseconds now) const {
  if (authorization.size() <= kBearer.size()) return nullptr;
  if (lower_case(authorization.substr(0, kBearer.size())) != "bearer ") return nullptr;
  const std::string_view token = authorization.substr(kBearer.size());
  if (const auto fixed = fixed_.find(token); fixed != fixed_.end()) return &fixed->second;
  const auto access = access_.find(token);
  return access == access_.end() || access->second.ends <= now ? nullptr : &access->second.grant;
}

const OauthClient* Credentials::client(std::string_view id) const {
  for (const OauthClient& client : options_.clients) {
    if (client.id == id) return &client;
  }
  return nullptr;
}

Answer Credentials::token_request(const Call& call, std::chrono::microseconds now) {
  const auto value = [&](const char* name) { return form_value(call.body, name).value_or(""); };
  std::vector<std::string> missing;
  for (const char* name : {"client_id", "client_secret", "grant_type"}) {
    if (value(name).empty()) missing.push_back(std::string(name) + " should not be empty");
  }
  if (!missing.empty()) return unprocessable(422, missing);
  const std::string grant_type = value("grant_type");
  const std::string id = value("client_id");
  const OauthClient* known = client(id);
  if (known == nullptr || known->secret != value("client_secret")) {
    return oauth_error(401, "invalid_client", "Invalid client credentials");
  }
  if (const std::string user = value("user_type"); !user.empty() && user != "Company" && user != "Location") {
    return unprocessable(422, {"user_type must be one of the following values: Company, Location"});
  }
  std::optional<Grant> grant;
  if (grant_type == "authorization_code")
    grant = redeem_code(value("code"), id);
  else if (grant_type == "refresh_token")
    grant = redeem_refresh(value("refresh_token"), id);
  else
    return oauth_error(400, "unsupported_grant_type", "grant_type must be authorization_code or refresh_token");
  if (!grant) return oauth_error(400, "invalid_grant", "Invalid grant: " + grant_type + " is invalid");
  return {200, pair_of(*grant, now)};
}

Answer Credentials::location_token(const Grant& company, const std::string& company_id, const std::string& location,
                                   std::chrono::microseconds now) {
  std::vector<std::string> missing;
  if (company_id.empty()) missing.emplace_back("companyId should not be empty");
  if (location.empty()) missing.emplace_back("locationId should not be empty");
  if (!missing.empty()) return unprocessable(422, missing);
  if (company.company.empty()) return error(401, "This authClass type is not allowed to access this scope.");
  if (company.company != company_id) return error(400, "The company of the token is another one");
  const Grant grant{company.app, location, "", company.scope};
  JsonWriter json;
  json.object();
  write_token(json, new_access_token(grant, now), options_.access_token_life, grant);
  json.end_object();
  return {200, json.take()};
}

void Credentials::add_refresh_token(const std::string& token, Grant grant) {
  refresh_[token] = {std::move(grant), 0};
  ++book_.issued;
}

std::string Credentials::new_code(Grant grant) {
  std::string code = random_id(random_, 40);
  add_code(code, std::move(grant));
  return code;
}

std::string Credentials::new_refresh_token(Grant grant) {
  std::string token = "refresh-" + random_id(random_, 48);
  add_refresh_token(token, std::move(grant));
  return token;
}

std::size_t Credentials::revoke(const std::string& access_token, const std::string& location) {
  return std::erase_if(access_, [&](const auto& entry) {
    if (!access_token.empty()) return entry.first == access_token;
    return location.empty() || entry.second.grant.location == location;
  });
}

std::optional<Grant> Credentials::redeem_code(const std::string& code, const std::string& client) {
  const auto found = codes_.find(code);
  if (found == codes_.end() || (!found->second.app.empty() && found->second.app != client)) return std::nullopt;
  Grant grant = std::move(found->second);
  codes_.erase(found);
  grant.app = client;
  return grant;
}

std::optional<Grant> Credentials::redeem_refresh(const std::string& token, const std::string& client) {
  const auto found = refresh_.find(token);
  if (found == refresh_.end() || (!found->second.grant.app.empty() && found->second.grant.app != client)) {
    ++book_.unknown;
    return std::nullopt;
  }
  if (found->second.uses++ > 0) {
    ++book_.used_again;
    return std::nullopt;
  }
  ++book_.uses;
  Grant grant = found->second.grant;
  grant.app = client;
  return grant;
}

std::string Credentials::new_access_token(const Grant& grant, std::chrono::microseconds now) {
  std::erase_if(access_, [&](const auto& entry) { return entry.second.ends <= now; });
  std::string token = "access-" + random_id(random_, 64);
  access_[token] = {grant, now + options_.access_token_life};
  return token;
}

std::string Credentials::pair_of(const Grant& grant, std::chrono::microseconds now) {
  JsonWriter json;
  json.object();
  write_token(json, new_access_token(grant, now), options_.access_token_life, grant);
  json.member("refresh_token", new_refresh_token(grant)).member("isBulkInstallation", !grant.company.empty());
  json.end_object();
  return json.take();
}

}  // namespace simulator
