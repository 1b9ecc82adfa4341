// The clients that the settings know, and who a request is from: `Authorization: Bearer KEY` (RFC 6750 section 2.1).
// Immutable; any thread.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "gateway/access/client_names.h"
#include "gateway/config/settings.h"
#include "policies/access.h"
#include "policies/fields.h"

namespace gateway::access {

struct Client {
  std::uint16_t number = 0;  // ClientNames'
  std::string key_hash;
  std::string location;  // where a request names none: its own, or the only one that it may use
  policies::AccessRules rules;
};

class Clients {
 public:
  // Adds names that are new to `names`. Throws std::runtime_error when that has no room.
  Clients(const config::Settings& settings, ClientNames& names);

  // No clients are configured: everybody that reaches the address may do everything.
  bool open() const { return clients_.empty(); }
  // Whose key this is: its number. Nothing for none and for a wrong one. Every client's hash is compared, so
  // that the time does not tell which one it was; callers keep the answer with the connection.
  std::optional<std::uint16_t> identify(std::string_view key) const;
  const Client& at(std::uint16_t client) const { return clients_[places_[client]]; }

 private:
  std::vector<Client> clients_;
  std::vector<std::uint16_t> places_;  // by number
};

// The key that a request presents; empty for none.
std::string_view bearer_key(policies::FieldsView fields);

// What a connection remembers of its last request's key, so that the next one pays a comparison and no hash.
struct Remembered {
  std::string key;
  std::uint16_t client = 0;
  std::uint64_t generation = 0;  // of the clients it was found among
  ~Remembered();                 // wipes the key
  bool is(std::string_view presented) const;
};

}  // namespace gateway::access
