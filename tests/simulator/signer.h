// Signatures of webhooks: Ed25519 over the raw body for `x-ghl-signature`, RSA with SHA-256 for the legacy
// `x-wh-signature`, both base64. Immutable after construction: any thread. Throws std::runtime_error naming the file
// when a key cannot be read.
#pragma once

#include <memory>
#include <string>
#include <string_view>

namespace simulator {

class Signer {
 public:
  enum class Kind { Ed25519, Rsa };
  // `file`: a private key as PEM; empty: a fresh one is made.
  Signer(Kind kind, const std::string& file);

  std::string sign(std::string_view body) const;  // base64
  std::string public_key() const;                 // PEM, SubjectPublicKeyInfo

 private:
  struct Free {
    void operator()(void* key) const;
  };
  Kind kind_;
  std::unique_ptr<void, Free> key_;
};

}  // namespace simulator
