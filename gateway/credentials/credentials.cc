#include "gateway/credentials/credentials.h"

namespace gateway::credentials {

Credentials::Credentials(std::shared_ptr<const config::Settings> settings) : settings_(std::move(settings)) {
  const auto& tokens = settings_->credentials;
  if (!tokens.token.empty()) return;
  if (tokens.locations.size() == 1) own_ = tokens.locations.begin()->first;
  several_ = tokens.locations.size() > 1;
}

std::optional<std::string> Credentials::authorization(std::string_view location) const {
  const auto& tokens = settings_->credentials;
  if (auto found = tokens.locations.find(std::string(location)); found != tokens.locations.end())
    return "Bearer " + found->second.value;
  if (!tokens.token.empty()) return "Bearer " + tokens.token.value;
  return std::nullopt;
}

std::string_view Credentials::budget(std::string_view location) const {
  const auto& locations = settings_->credentials.locations;
  auto found = locations.find(std::string(location));
  return found == locations.end() ? kShared : std::string_view(found->first);
}

}  // namespace gateway::credentials
