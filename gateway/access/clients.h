// The clients that the settings know, and who a request is from: `Authorization: Bearer KEY` (RFC 6750 section 2.1).
// Immutable; any thread.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "gateway/config/settings.h"
#include "policies/access.h"
#include "policies/fields.h"

namespace gateway::access {

struct Client {
  std::string name;
  std::string key_hash;
  std::string location;  // where a request names none
  policies::AccessRules rules;
};

class Clients {
 public:
  explicit Clients(const config::Settings& settings);

  // No clients are configured: everybody that reaches the address may do everything.
  bool open() const { return clients_.empty(); }
  // Whose key this is: its place plus one. Nothing for none and for a wrong one. Every client's hash is compared, so
  // that the time does not tell which one it was; callers keep the answer with the connection.
  std::optional<std::uint16_t> identify(std::string_view key) const;
  const Client& at(std::uint16_t client) const { return clients_[client - 1u]; }

 private:
  std::vector<Client> clients_;
};

// The key that a request presents; empty for none.
std::string_view bearer_key(policies::FieldsView fields);

// What a connection remembers of its last request's key, so that the next one pays a comparison and no hash.
struct Remembered {
  std::string key;
  std::uint16_t client = 0;
  ~Remembered();  // wipes the key
  bool is(std::string_view presented) const;
};

}  // namespace gateway::access
