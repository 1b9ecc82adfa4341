#include "gateway/credentials/credentials.h"

#include "gateway/credentials/oauth.h"

namespace gateway::credentials {

Credentials::Credentials(std::shared_ptr<const config::Settings> settings) : fixed_(fixed_of(*settings)) {}

std::shared_ptr<Credentials::Fixed> Credentials::fixed_of(const config::Settings& settings) {
  const auto& tokens = settings.credentials;
  auto fixed = std::make_shared<Fixed>();
  if (!tokens.token.empty()) fixed->shared = std::make_shared<Access>(tokens.token.value);
  for (const auto& [location, token] : tokens.locations)
    fixed->locations.emplace(location, std::make_shared<Access>(token.value));
  return fixed;
}

// A token that did not change keeps its Access object: else a request under way that gets a 401 would take it for a new
// token and go again.
void Credentials::reload(std::shared_ptr<const config::Settings> settings) {
  auto wanted = fixed_of(*settings);
  const Lock lock(mutex_);
  const auto keep = [](AccessPtr& next, const AccessPtr& last) {
    if (next && last && next->authorization == last->authorization) next = last;
  };
  keep(wanted->shared, fixed_->shared);
  for (auto& [location, access] : wanted->locations)
    if (const auto last = fixed_->locations.find(location); last != fixed_->locations.end()) keep(access, last->second);
  fixed_ = std::move(wanted);
}

std::shared_ptr<const Credentials::Fixed> Credentials::fixed() const {
  const Lock lock(mutex_);
  return fixed_;
}

AccessPtr Credentials::held(std::string_view location) const {
  const auto tokens = fixed();
  if (const auto own = tokens->locations.find(location); own != tokens->locations.end()) return own->second;
  if (oauth_ == nullptr) return tokens->shared;
  if (auto access = oauth_->held(location)) return access;
  return nullptr;  // acquire() knows whether one is on its way, or the shared one must do
}

asio::awaitable<std::variant<AccessPtr, NoAccess>> Credentials::acquire(
    std::string location, std::chrono::steady_clock::time_point deadline) const {
  if (auto access = held(location)) co_return access;
  if (oauth_ == nullptr) co_return NoAccess{};
  const auto shared = fixed()->shared;
  auto got = co_await oauth_->acquire(std::move(location), deadline);
  const auto* none = std::get_if<NoAccess>(&got);
  if (none != nullptr && none->reason != NoAccess::Reason::Unavailable && shared) co_return shared;
  co_return got;
}

asio::awaitable<bool> Credentials::refused(std::string location, AccessPtr access,
                                           std::chrono::steady_clock::time_point deadline) const {
  const auto tokens = fixed();
  const auto own = tokens->locations.find(location);
  if (own != tokens->locations.end()) co_return own->second != access;  // read again meanwhile
  if (oauth_ == nullptr) co_return tokens->shared && tokens->shared != access;
  if (access == tokens->shared) co_return false;
  co_return co_await oauth_->refused(std::move(location), std::move(access), deadline);
}

Scope Credentials::scope() const {
  const auto tokens = fixed();
  if (tokens->shared) {
    Scope scope{.shared = true};
    for (const auto& [location, access] : tokens->locations) scope.bound.insert(location);
    return scope;
  }
  OAuth::Known known;
  if (oauth_ != nullptr) known = oauth_->known();
  for (const auto& [location, access] : tokens->locations) known.locations.insert(location);
  if (known.locations.size() == 1 && !known.agencies) return {*known.locations.begin(), false};
  return {"", known.agencies || known.locations.size() > 1};
}

std::string Credentials::budget(std::string_view location) const {
  const auto tokens = fixed();
  const bool own = tokens->locations.contains(location) || (oauth_ != nullptr && oauth_->knows(location));
  return std::string(own ? location : kShared);
}

}  // namespace gateway::credentials
