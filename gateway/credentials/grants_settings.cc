// What the settings say about grants: their seeds, their clients, and whose they are where the upstream does not say.
#include <algorithm>

#include "gateway/credentials/grants.h"
#include "gateway/log/log.h"

namespace gateway::credentials {

using policies::GrantKind;
using policies::WallMillis;
using token_store::Grant;

namespace {

GrantKind kind_of(const config::OAuthGrant& client) {
  return client.user_type == "Company" ? GrantKind::Company : GrantKind::Location;
}

}  // namespace

void Grants::configure(std::vector<config::OAuthGrant> configured) {
  configured_ = std::move(configured);
  for (const auto& grant : grants_) {
    grant->grant = grant->to_store();  // a name that the settings gave is theirs to change
    grant->named_here = false;
    const auto client = client_of(grant->grant);
    grant->listed = client.has_value();
    if (client) grant->client = *client;
    name_by_settings(*grant);
    if (!grant->grant.ended.empty()) reseed(*grant);
    grant->kick.notify();
  }
  std::erase_if(grants_, [](const GrantPtr& grant) { return !grant->listed; });
  dirty_ = true;
  woken_.notify();
  parts_.changed();
}

// A configured refresh token begins a chain only where none began with it, and none is there for its location.
void Grants::plant_seeds() {
  for (const auto& client : configured_) {
    if (client.refresh_token.empty()) continue;
    const auto kind = kind_of(client);
    const auto id = token_store::grant_id(client.client_id, kind, client.location);
    const auto mark = token_store::seed_mark(client.refresh_token.value);
    const bool known = std::any_of(grants_.begin(), grants_.end(), [&](const GrantPtr& one) {
      const auto& grant = one->grant;
      if (grant.client_id != client.client_id) return false;
      const bool same_subject = !client.location.empty() && grant.kind == kind && grant.subject == client.location;
      return grant.seed == mark || grant.id == id || same_subject;
    });
    if (known) continue;
    Grant seed;
    seed.id = id;
    seed.client_id = client.client_id;
    seed.kind = kind;
    seed.subject = client.location;
    seed.refresh_token = client.refresh_token;
    seed.seed = mark;
    add(std::move(seed), client);
  }
}

// An operator's new refresh token for a grant that has ended.
bool Grants::reseed(GrantState& state) const {
  const auto& wanted = state.client.refresh_token;
  if (wanted.empty()) return false;
  const auto mark = token_store::seed_mark(wanted.value);
  if (mark == state.grant.seed) return false;
  state.grant.refresh_token = wanted;
  state.grant.seed = mark;
  state.grant.ended.clear();
  state.wanted = true;
  state.not_before = WallMillis{0};
  state.kick.notify();
  log::info("credential_seeded_anew", {{"location", std::string_view(state.name())}});
  return true;
}

// The settings it was made with, or any of the same app.
std::optional<config::OAuthGrant> Grants::client_of(const Grant& grant) const {
  std::optional<config::OAuthGrant> found;
  bool several = false;
  for (const auto& client : configured_) {
    if (client.client_id != grant.client_id) continue;
    const bool exact = token_store::grant_id(client.client_id, kind_of(client), client.location) == grant.id ||
                       (!client.location.empty() && client.location == grant.subject) ||
                       (!client.refresh_token.empty() && grant.subject.empty() &&
                        token_store::seed_mark(client.refresh_token.value) == grant.seed);
    if (exact) return client;
    several = found.has_value();
    if (!found) found = client;
  }
  if (found && (several || !found->refresh_token.empty())) found->location.clear();  // another grant's
  if (found) found->refresh_token = {};                                              // another grant's seed
  return found;
}

// Where no answer of the upstream has said whose it is. Never what another grant is known to be.
void Grants::name_by_settings(GrantState& state) const {
  auto& grant = state.grant;
  if (!grant.subject.empty() || grant.version == 0 || kind_of(state.client) != grant.kind) return;
  const bool taken = std::any_of(grants_.begin(), grants_.end(), [&](const GrantPtr& other) {
    return other->grant.kind == grant.kind && other->grant.subject == state.client.location;
  });
  if (taken || state.client.location.empty()) return;
  grant.subject = state.client.location;
  state.named_here = true;
}

}  // namespace gateway::credentials
