#include "gateway/access/clients.h"

#include <openssl/crypto.h>

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <stdexcept>

#include "gateway/access/key_hash.h"

namespace gateway::access {

Clients::Clients(const config::Settings& settings, ClientNames& names) {
  for (const auto& given : settings.clients) {
    const auto number = names.add(given.name);
    if (!number) throw std::runtime_error("clients: too many names since the start; a restart forgets old ones");
    if (places_.size() <= *number) places_.resize(*number + 1u);
    places_[*number] = static_cast<std::uint16_t>(clients_.size());
    const bool one = given.location.empty() && given.locations.size() == 1;
    Client client{*number, given.key_hash, one ? given.locations.front() : given.location, {}};
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
  for (const auto& client : clients_)
    if (key_matches(key, client.key_hash) && !found) found = client.number;
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

// Every byte is compared, wherever the first difference is, so that the time tells nothing about the key. Word by word,
// as each request pays for it; a key is longer than a word (kShortestKey).
bool Remembered::is(std::string_view presented) const {
  std::uint64_t ours, theirs;
  if (key.size() < sizeof ours || key.size() != presented.size()) return false;
  std::uint64_t difference = 0;
  const auto compare = [&](std::size_t at) {
    std::memcpy(&ours, key.data() + at, sizeof ours);
    std::memcpy(&theirs, presented.data() + at, sizeof theirs);
    difference |= ours ^ theirs;
  };
  for (std::size_t at = 0; at + sizeof ours < key.size(); at += sizeof ours) compare(at);
  compare(key.size() - sizeof ours);
  return difference == 0;
}

}  // namespace gateway::access
