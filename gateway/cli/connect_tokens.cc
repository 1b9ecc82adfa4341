#include <algorithm>
#include <stdexcept>

#include "gateway/cli/connect_parts.h"
#include "gateway/cli/opened_store.h"
#include "gateway/clock.h"
#include "gateway/credentials/grants.h"

namespace gateway::cli {

namespace {

using token_store::Grant;

std::string in_words(std::chrono::milliseconds time) {
  const auto minutes = std::chrono::duration_cast<std::chrono::minutes>(time).count();
  return std::to_string(minutes / 60) + " h " + std::to_string(minutes % 60) + " min";
}

std::string scopes_of(const Grant& grant) {
  if (grant.scope.empty()) return "scopes not told";
  std::string missing;
  const std::string all = " " + grant.scope + " ";
  for (const char* scope : {"contacts.readonly", "contacts.write"})
    if (all.find(std::string(" ") + scope + " ") == std::string::npos)
      missing.append(missing.empty() ? "" : ", ").append(scope);
  return missing.empty() ? "scopes " + grant.scope : "without the scope " + missing;
}

std::string name_of(const Grant& grant) {
  return "credentials.oauth " + (grant.subject.empty() ? grant.id : grant.subject);
}

bool configured(const config::Settings& settings, const Grant& grant) {
  const auto& grants = settings.credentials.oauth.grants;
  return std::any_of(grants.begin(), grants.end(),
                     [&](const config::OAuthGrant& one) { return one.client_id == grant.client_id; });
}

void tell_seeds(const config::Settings& settings, const std::vector<Grant>& stored, Findings& findings) {
  for (const auto& client : settings.credentials.oauth.grants) {
    if (client.refresh_token.empty()) continue;
    const auto mark = token_store::seed_mark(client.refresh_token.value);
    const bool spent = std::any_of(stored.begin(), stored.end(), [&](const Grant& one) { return one.seed == mark; });
    if (!spent) findings.note("credentials.oauth.refresh_token", "not exchanged yet: the first start spends it");
  }
}

}  // namespace

std::vector<StoredToken> stored_tokens(const config::Settings& settings, Findings& findings) try {
  std::vector<StoredToken> tokens;
  if (settings.credentials.oauth.grants.empty()) return tokens;
  const OpenedStore opened(settings);
  const auto now = wall_now();
  for (const auto& grant : opened.grants()) {
    if (!configured(settings, grant) || grant.uninstalled()) continue;
    const bool live = policies::usable(grant.times, now) && !grant.access_token.empty();
    const auto more = ", " + scopes_of(grant) + ", ends in " + in_words(grant.times.expires - now);
    if (!grant.ended.empty())
      findings.failed(kCredential, name_of(grant),
                      "the upstream refused its refresh token (" + grant.ended + "): run contacts-gateway authorize");
    else if (!live)
      findings.note(name_of(grant), "its access token has ended; a gateway that runs renews it");
    else if (grant.kind == policies::GrantKind::Company)
      findings.well(name_of(grant), "an agency's" + more);
    else
      tokens.push_back({name_of(grant), grant.subject, grant.access_token, more});
  }
  tell_seeds(settings, opened.grants(), findings);
  if (opened.grants().empty()) findings.note("credentials.oauth.store", "is empty");
  return tokens;
} catch (const std::runtime_error& e) {
  findings.failed(kCredential, "credentials.oauth.store", e.what());
  return {};
}

}  // namespace gateway::cli
