#include "gateway/access/key_hash.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/rand.h>

#include <array>
#include <optional>
#include <span>
#include <stdexcept>

namespace gateway::access {

namespace {

using Salt = std::array<unsigned char, 16>;
using Digest = std::array<unsigned char, 32>;

constexpr std::string_view kScheme = "sha256:";

template <std::size_t kSize>
std::array<unsigned char, kSize> random_bytes() {
  std::array<unsigned char, kSize> bytes;
  if (RAND_bytes(bytes.data(), static_cast<int>(bytes.size())) != 1)
    throw std::runtime_error("the system has no randomness to give");
  return bytes;
}

std::string to_hex(std::span<const unsigned char> bytes) {
  static constexpr char kDigits[] = "0123456789abcdef";
  std::string text;
  for (const unsigned char byte : bytes) text.append({kDigits[byte >> 4], kDigits[byte & 15]});
  return text;
}

int digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

bool from_hex(std::string_view text, std::span<unsigned char> bytes) {
  if (text.size() != bytes.size() * 2) return false;
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    const int high = digit(text[2 * i]), low = digit(text[2 * i + 1]);
    if (high < 0 || low < 0) return false;
    bytes[i] = static_cast<unsigned char>(high << 4 | low);
  }
  return true;
}

Digest digest(std::string_view key, const Salt& salt) {
  Digest out;
  unsigned size = out.size();
  const auto* bytes = reinterpret_cast<const unsigned char*>(key.data());
  if (!HMAC(EVP_sha256(), salt.data(), static_cast<int>(salt.size()), bytes, key.size(), out.data(), &size))
    throw std::runtime_error("HMAC-SHA-256 is not available");
  return out;
}

}  // namespace

std::string new_key() {
  static constexpr char kAlphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
  constexpr std::size_t kCharacters = 43;  // of 6 bits: 258 bits
  std::string key = "cgk_";
  for (const unsigned char byte : random_bytes<kCharacters>()) key += kAlphabet[byte & 63];
  return key;
}

std::string hash_key(std::string_view key) {
  const auto salt = random_bytes<std::tuple_size_v<Salt>>();
  return std::string(kScheme) + to_hex(salt) + ":" + to_hex(digest(key, salt));
}

bool key_matches(std::string_view key, std::string_view hash) {
  Salt salt;
  Digest expected;
  if (!hash.starts_with(kScheme)) return false;
  hash.remove_prefix(kScheme.size());
  const std::size_t colon = hash.find(':');
  if (colon == std::string_view::npos || !from_hex(hash.substr(0, colon), salt) ||
      !from_hex(hash.substr(colon + 1), expected))
    return false;
  return CRYPTO_memcmp(digest(key, salt).data(), expected.data(), expected.size()) == 0;
}

}  // namespace gateway::access
