#include "gateway/access/clients.h"

#include <openssl/crypto.h>

#include <algorithm>

#include "gateway/access/key_hash.h"

namespace gateway::access {

Clients::Clients(const config::Settings& settings) {
  for (const auto& given : settings.clients) {
    Client client{given.name, given.key_hash, given.location, {}};
    client.rules.locations = given.locations;
    const auto& operations = given.operations;
    const auto may = [&](std::string_view what) {
      return operations.empty() || std::find(operations.begin(), operations.end(), what) != operations.end();
    };
    client.rules.may_read = may("read");
    client.rules.may_write = may("write");
    client.rules.best_urgency = given.urgency;
    clients_.push_back(std::move(client));
  }
}

std::optional<std::uint16_t> Clients::identify(std::string_view key) const {
  if (key.empty()) return std::nullopt;
  std::optional<std::uint16_t> found;
  for (std::size_t i = 0; i < clients_.size(); ++i)
    if (key_matches(key, clients_[i].key_hash) && !found) found = static_cast<std::uint16_t>(i + 1);
  return found;
}

std::string_view bearer_key(policies::FieldsView fields) {
  const auto given = policies::find_field(fields, "Authorization");
  constexpr std::string_view kScheme = "Bearer ";
  if (!given || given->size() <= kScheme.size() || !policies::same_name(given->substr(0, kScheme.size()), kScheme))
    return {};
  auto key = given->substr(kScheme.size());
  while (!key.empty() && key.front() == ' ') key.remove_prefix(1);
  return key;
}

Remembered::~Remembered() { OPENSSL_cleanse(key.data(), key.size()); }

bool Remembered::is(std::string_view presented) const {
  return !key.empty() && key.size() == presented.size() && CRYPTO_memcmp(key.data(), presented.data(), key.size()) == 0;
}

}  // namespace gateway::access
