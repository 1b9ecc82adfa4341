// A grant as the text that a file or Redis keeps: "VERSION STATE FORM:CONTENT". Version and state (alive, ended) stand
// in the open, so that Redis can compare them; with a key the rest is sealed by AES-256-GCM (NIST SP 800-38D), and the
// id, version and state are authenticated with it, so that nothing can be moved, turned back or marked from outside
// unnoticed. Each text has a salt and a nonce of its own; its key is HKDF-SHA-256 (RFC 5869) of store_key under that
// salt, which is why store_key must be long and random (checks.cc wants 32 characters) and needs no slow derivation.
// Any thread.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "gateway/token_store/grant.h"

namespace gateway::token_store {

class Sealed {
 public:
  // `key` empty: the content is plain. The key is copied and wiped with this.
  explicit Sealed(config::Secret key) : key_(std::move(key)) {}

  std::string close(const Grant& grant) const;
  // Throws std::runtime_error, in words for an operator and without content, when it is no such text, when another key
  // sealed it or it was changed since, and when it is plain although there is a key: whoever can write to the store
  // could otherwise slip tokens in.
  Grant open(const std::string& id, std::string_view text) const;

 private:
  config::Secret key_;
};

// The version that stands before it; nothing where it is no such text.
std::optional<std::uint64_t> version_of(std::string_view text);

}  // namespace gateway::token_store
