#include "gateway/token_store/sealed.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/kdf.h>
#include <openssl/rand.h>

#include <array>
#include <charconv>
#include <memory>
#include <stdexcept>

namespace gateway::token_store {

namespace {

constexpr std::size_t kSalt = 16, kNonce = 12, kTag = 16;
constexpr std::string_view kPlain = "plain:", kSealedForm = "aes256gcm:";
constexpr std::string_view kInfo = "contacts-gateway token store 1";

using Key = std::array<unsigned char, 32>;
struct WipedKey {
  Key bytes{};
  ~WipedKey() { OPENSSL_cleanse(bytes.data(), bytes.size()); }
};
using Cipher = std::unique_ptr<EVP_CIPHER_CTX, decltype(&EVP_CIPHER_CTX_free)>;
using Derivation = std::unique_ptr<EVP_PKEY_CTX, decltype(&EVP_PKEY_CTX_free)>;

const unsigned char* bytes(std::string_view text) { return reinterpret_cast<const unsigned char*>(text.data()); }
unsigned char* bytes(std::string& text) { return reinterpret_cast<unsigned char*>(text.data()); }
int length(std::string_view text) { return static_cast<int>(text.size()); }

void must(bool well) {
  if (!well) throw std::runtime_error("OpenSSL cannot encrypt the token store");
}

void derive(WipedKey& key, std::string_view secret, std::string_view salt) {
  const Derivation hkdf(EVP_PKEY_CTX_new_id(EVP_PKEY_HKDF, nullptr), &EVP_PKEY_CTX_free);
  std::size_t size = key.bytes.size();
  must(hkdf && EVP_PKEY_derive_init(hkdf.get()) == 1 && EVP_PKEY_CTX_set_hkdf_md(hkdf.get(), EVP_sha256()) == 1 &&
       EVP_PKEY_CTX_set1_hkdf_salt(hkdf.get(), bytes(salt), length(salt)) == 1 &&
       EVP_PKEY_CTX_set1_hkdf_key(hkdf.get(), bytes(secret), length(secret)) == 1 &&
       EVP_PKEY_CTX_add1_hkdf_info(hkdf.get(), bytes(kInfo), length(kInfo)) == 1 &&
       EVP_PKEY_derive(hkdf.get(), key.bytes.data(), &size) == 1);
}

std::string to_base64(std::string_view text) {
  std::string out(4 * ((text.size() + 2) / 3) + 1, '\0');
  out.resize(static_cast<std::size_t>(EVP_EncodeBlock(bytes(out), bytes(text), length(text))));
  return out;
}

std::optional<std::string> from_base64(std::string_view text) {
  if (text.size() % 4 != 0 || text.empty()) return std::nullopt;
  std::string out(text.size() / 4 * 3, '\0');
  if (EVP_DecodeBlock(bytes(out), bytes(text), length(text)) < 0) return std::nullopt;
  for (int i = 1; i <= 2 && text[text.size() - static_cast<std::size_t>(i)] == '='; ++i) out.pop_back();
  return out;
}

// salt, nonce, ciphertext, tag
std::string seal(std::string_view secret, std::string_view associated, std::string_view plain) {
  std::string out(kSalt + kNonce + plain.size() + kTag, '\0');
  must(RAND_bytes(bytes(out), kSalt + kNonce) == 1);
  WipedKey key;
  derive(key, secret, std::string_view(out).substr(0, kSalt));
  const Cipher cipher(EVP_CIPHER_CTX_new(), &EVP_CIPHER_CTX_free);
  auto* body = bytes(out) + kSalt + kNonce;
  int written = 0;
  must(cipher &&
       EVP_EncryptInit_ex(cipher.get(), EVP_aes_256_gcm(), nullptr, key.bytes.data(), bytes(out) + kSalt) == 1 &&
       EVP_EncryptUpdate(cipher.get(), nullptr, &written, bytes(associated), length(associated)) == 1 &&
       EVP_EncryptUpdate(cipher.get(), body, &written, bytes(plain), length(plain)) == 1 &&
       EVP_EncryptFinal_ex(cipher.get(), body + written, &written) == 1 &&
       EVP_CIPHER_CTX_ctrl(cipher.get(), EVP_CTRL_GCM_GET_TAG, kTag, body + plain.size()) == 1);
  return out;
}

std::optional<std::string> unseal(std::string_view secret, std::string_view associated, std::string sealed) {
  if (sealed.size() < kSalt + kNonce + kTag) return std::nullopt;
  WipedKey key;
  derive(key, secret, std::string_view(sealed).substr(0, kSalt));
  const Cipher cipher(EVP_CIPHER_CTX_new(), &EVP_CIPHER_CTX_free);
  const int size = static_cast<int>(sealed.size() - kSalt - kNonce - kTag);
  auto* body = bytes(sealed) + kSalt + kNonce;
  std::string plain(static_cast<std::size_t>(size), '\0');
  int written = 0;
  must(cipher &&
       EVP_DecryptInit_ex(cipher.get(), EVP_aes_256_gcm(), nullptr, key.bytes.data(), bytes(sealed) + kSalt) == 1 &&
       EVP_DecryptUpdate(cipher.get(), nullptr, &written, bytes(associated), length(associated)) == 1 &&
       EVP_DecryptUpdate(cipher.get(), bytes(plain), &written, body, size) == 1 &&
       EVP_CIPHER_CTX_ctrl(cipher.get(), EVP_CTRL_GCM_SET_TAG, kTag, body + size) == 1);
  if (EVP_DecryptFinal_ex(cipher.get(), bytes(plain) + written, &written) != 1) return std::nullopt;
  return plain;
}

// "VERSION STATE " stays in the open.
std::string_view head_of(std::string_view text) {
  const auto first = text.find(' ');
  const auto second = first == std::string_view::npos ? first : text.find(' ', first + 1);
  return second == std::string_view::npos ? std::string_view() : text.substr(0, second + 1);
}

std::string associated_with(const std::string& id, std::string_view head) {
  return std::string(kInfo).append("\n").append(id).append("\n").append(head);
}

Grant checked(const std::string& id, std::string_view head, std::string json) {
  Grant grant = grant_from_json(id, json);
  OPENSSL_cleanse(json.data(), json.size());
  const std::string own = std::to_string(grant.version) + (grant.ended.empty() ? " alive " : " ended ");
  if (own != head)
    throw std::runtime_error("the stored grant " + id + " was changed: its content is of another version");
  return grant;
}

}  // namespace

std::string Sealed::close(const Grant& grant) const {
  const std::string head = std::to_string(grant.version) + (grant.ended.empty() ? " alive " : " ended ");
  std::string json = to_json(grant);
  std::string content =
      key_.empty() ? std::string(kPlain) + json
                   : std::string(kSealedForm) + to_base64(seal(key_.value, associated_with(grant.id, head), json));
  OPENSSL_cleanse(json.data(), json.size());
  return head + content;
}

Grant Sealed::open(const std::string& id, std::string_view text) const {
  const auto head = head_of(text);
  auto content = text.substr(head.size());
  if (head.empty() || !version_of(text)) throw std::runtime_error("the stored grant " + id + " cannot be read");
  if (content.starts_with(kPlain)) {
    if (!key_.empty())
      throw std::runtime_error("the stored grant " + id +
                               " is not encrypted, but credentials.oauth.store_key is set: authorize anew "
                               "(`contacts-gateway authorize`) with an empty store, or leave store_key out");
    return checked(id, head, std::string(content.substr(kPlain.size())));
  }
  if (!content.starts_with(kSealedForm)) throw std::runtime_error("the stored grant " + id + " cannot be read");
  if (key_.empty())
    throw std::runtime_error("the stored grant " + id + " is encrypted: set credentials.oauth.store_key");
  auto sealed = from_base64(content.substr(kSealedForm.size()));
  auto plain = sealed ? unseal(key_.value, associated_with(id, head), std::move(*sealed)) : std::nullopt;
  if (!plain)
    throw std::runtime_error("the stored grant " + id +
                             " does not open: credentials.oauth.store_key is not the key that sealed it, or it was "
                             "changed since");
  return checked(id, head, std::move(*plain));
}

std::optional<std::uint64_t> version_of(std::string_view text) {
  std::uint64_t version = 0;
  const auto read = std::from_chars(text.data(), text.data() + text.size(), version);
  if (read.ec != std::errc() || read.ptr == text.data() + text.size() || *read.ptr != ' ') return std::nullopt;
  return version;
}

}  // namespace gateway::token_store
