#include "gateway/credentials/credentials.h"

namespace gateway::credentials {

Credentials::Credentials(std::shared_ptr<const config::Settings> settings) : settings_(std::move(settings)) {}

void Credentials::reload(std::shared_ptr<const config::Settings> settings) {
  const Lock lock(mutex_);
  settings_ = std::move(settings);
}

std::shared_ptr<const config::Settings> Credentials::settings() const {
  const Lock lock(mutex_);
  return settings_;
}

std::optional<std::string> Credentials::authorization(std::string_view location) const {
  const auto held = settings();
  const auto& tokens = held->credentials;
  if (auto found = tokens.locations.find(std::string(location)); found != tokens.locations.end())
    return "Bearer " + found->second.value;
  if (!tokens.token.empty()) return "Bearer " + tokens.token.value;
  return std::nullopt;
}

Scope Credentials::scope() const {
  const auto held = settings();
  const auto& tokens = held->credentials;
  if (!tokens.token.empty()) return {};
  return {tokens.locations.size() == 1 ? tokens.locations.begin()->first : "", tokens.locations.size() > 1};
}

std::string Credentials::budget(std::string_view location) const {
  const auto held = settings();
  const bool own = held->credentials.locations.contains(std::string(location));
  return std::string(own ? location : kShared);
}

}  // namespace gateway::credentials
