#include "gateway/webhooks/public_keys.h"

#include <openssl/evp.h>
#include <openssl/pem.h>

#include <algorithm>
#include <optional>
#include <stdexcept>

namespace gateway::webhooks {

namespace {

constexpr std::size_t kRawKey = 32;  // RFC 8032 section 5.1.5
constexpr std::size_t kLongestSignature = 2'048;

[[noreturn]] void wrong(const std::string& setting, std::string_view expected) {
  throw std::invalid_argument(setting + ": expected " + std::string(expected));
}

std::string trimmed(std::string_view text) {
  const auto first = text.find_first_not_of(" \t\r\n");
  if (first == std::string_view::npos) return {};
  return std::string(text.substr(first, text.find_last_not_of(" \t\r\n") - first + 1));
}

std::optional<std::string> from_base64(std::string_view text) {
  if (text.empty() || text.size() % 4 != 0) return std::nullopt;
  std::string bytes(text.size() / 4 * 3, '\0');
  const int size = EVP_DecodeBlock(reinterpret_cast<unsigned char*>(bytes.data()),
                                   reinterpret_cast<const unsigned char*>(text.data()), static_cast<int>(text.size()));
  if (size < 0) return std::nullopt;
  bytes.resize(static_cast<std::size_t>(size) - (text.ends_with("==") ? 2 : text.ends_with('=') ? 1 : 0));
  return bytes;
}

std::optional<std::string> from_hex(std::string_view text) {
  if (text.size() != 2 * kRawKey) return std::nullopt;
  std::string bytes;
  for (std::size_t i = 0; i < text.size(); i += 2) {
    const int high = OPENSSL_hexchar2int(static_cast<unsigned char>(text[i]));
    const int low = OPENSSL_hexchar2int(static_cast<unsigned char>(text[i + 1]));
    if (high < 0 || low < 0) return std::nullopt;
    bytes.push_back(static_cast<char>(high * 16 + low));
  }
  return bytes;
}

std::string numbered(std::string_view setting, std::size_t at, std::size_t count) {
  return std::string(setting) + (count > 1 ? "[" + std::to_string(at) + "]" : "");
}

// Where a value is one line (docker's and systemd's environment files) the line breaks of a PEM come as "\n" in
// letters, which a PEM has no other use for.
std::string with_line_breaks(std::string_view pem) {
  std::string text;
  for (std::size_t i = 0; i < pem.size(); ++i) {
    const bool escaped = pem[i] == '\\' && i + 1 < pem.size() && (pem[i + 1] == 'n' || pem[i + 1] == 'r');
    text += escaped ? (pem[++i] == 'n' ? '\n' : '\r') : pem[i];
  }
  return text;
}

bool is_pem(std::string_view text) { return text.starts_with("-----BEGIN"); }

bool verifies(EVP_PKEY* key, std::string_view signature, std::string_view body) {
  const std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)> context(EVP_MD_CTX_new(), &EVP_MD_CTX_free);
  const EVP_MD* digest = EVP_PKEY_base_id(key) == EVP_PKEY_RSA ? EVP_sha256() : nullptr;
  return EVP_DigestVerifyInit(context.get(), nullptr, digest, nullptr, key) == 1 &&
         EVP_DigestVerify(context.get(), reinterpret_cast<const unsigned char*>(signature.data()), signature.size(),
                          reinterpret_cast<const unsigned char*>(body.data()), body.size()) == 1;
}

}  // namespace

void PublicKeys::Free::operator()(void* key) const { EVP_PKEY_free(static_cast<EVP_PKEY*>(key)); }

std::vector<PublicKeys::Key> PublicKeys::read_pem(const std::string& setting, const std::string& pem, int kind) {
  const std::string text = with_line_breaks(pem);
  const std::unique_ptr<BIO, decltype(&BIO_free)> input(BIO_new_mem_buf(text.data(), static_cast<int>(text.size())),
                                                        &BIO_free);
  std::vector<Key> keys;
  while (EVP_PKEY* key = PEM_read_bio_PUBKEY(input.get(), nullptr, nullptr, nullptr)) {
    keys.emplace_back(key);
    if (EVP_PKEY_base_id(key) != kind)
      wrong(setting, kind == EVP_PKEY_ED25519 ? "an Ed25519 public key, this is one of another kind"
                                              : "an RSA public key, this is one of another kind");
  }
  if (keys.empty()) wrong(setting, "a public key in PEM (-----BEGIN PUBLIC KEY-----)");
  return keys;
}

PublicKeys::PublicKeys(const config::Settings::Webhooks& settings) {
  const auto add = [](std::vector<Key>& to, std::vector<Key> more) { std::ranges::move(more, std::back_inserter(to)); };
  for (std::size_t i = 0; i < settings.public_keys.size(); ++i) {
    const auto setting = numbered("webhooks.public_key", i, settings.public_keys.size());
    const auto text = trimmed(settings.public_keys[i]);
    if (is_pem(text)) {
      add(ed25519_, read_pem(setting, text, EVP_PKEY_ED25519));
      continue;
    }
    auto raw = from_hex(text);
    if (!raw) raw = from_base64(text);
    if (!raw || raw->size() != kRawKey) wrong(setting, "an Ed25519 public key: PEM, or 32 bytes as base64 or hex");
    ed25519_.emplace_back(EVP_PKEY_new_raw_public_key(
        EVP_PKEY_ED25519, nullptr, reinterpret_cast<const unsigned char*>(raw->data()), raw->size()));
  }
  for (std::size_t i = 0; i < settings.legacy_public_keys.size(); ++i) {
    const auto setting = numbered("webhooks.legacy_public_key", i, settings.legacy_public_keys.size());
    add(rsa_, read_pem(setting, trimmed(settings.legacy_public_keys[i]), EVP_PKEY_RSA));
  }
}

bool PublicKeys::signed_by_one_of(const std::vector<Key>& keys, std::string_view signature, std::string_view body) {
  if (signature.size() > kLongestSignature) return false;
  const auto bytes = from_base64(signature);
  return bytes && std::ranges::any_of(
                      keys, [&](const Key& key) { return verifies(static_cast<EVP_PKEY*>(key.get()), *bytes, body); });
}

Signature PublicKeys::check(policies::FieldsView fields, std::string_view body) const {
  const auto by = [&](const std::vector<Key>& keys, std::string_view field) {
    const auto given = policies::combined_field(fields, field);
    if (keys.empty() || !given || given->empty()) return Signature::Missing;
    return signed_by_one_of(keys, *given, body) ? Signature::Valid : Signature::Forged;
  };
  const auto current = by(ed25519_, "x-ghl-signature");
  return current == Signature::Missing ? by(rsa_, "x-wh-signature") : current;
}

}  // namespace gateway::webhooks
