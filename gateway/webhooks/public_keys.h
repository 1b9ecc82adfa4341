// The keys that the upstream's webhooks are signed with, and the check of a signature over the raw body. Several keys
// may be given, so that one can be replaced by the next without a gap. Immutable; any thread.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "gateway/config/settings.h"
#include "policies/fields.h"

namespace gateway::webhooks {

enum class Signature { Valid, Missing, Forged };

class PublicKeys {
 public:
  // Throws std::invalid_argument naming the setting and what was expected. A PEM text may hold several keys.
  explicit PublicKeys(const config::Settings::Webhooks& settings);

  bool none() const { return ed25519_.empty() && rsa_.empty(); }

  // `x-ghl-signature` (Ed25519, base64) decides where it is there and a key for it is; else `x-wh-signature` (RSA with
  // SHA-256, base64) does. A forged one is not mended by the other.
  Signature check(policies::FieldsView fields, std::string_view body) const;

 private:
  struct Free {
    void operator()(void* key) const;
  };
  using Key = std::unique_ptr<void, Free>;  // an EVP_PKEY
  static std::vector<Key> read_pem(const std::string& setting, const std::string& pem, int kind);
  static bool signed_by_one_of(const std::vector<Key>& keys, std::string_view signature, std::string_view body);

  std::vector<Key> ed25519_, rsa_;
};

}  // namespace gateway::webhooks
