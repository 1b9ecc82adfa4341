#include "tests/simulator/signer.h"

#include <openssl/evp.h>
#include <openssl/pem.h>

#include <stdexcept>

namespace simulator {

namespace {

EVP_PKEY* read_key(const std::string& file) {
  std::unique_ptr<std::FILE, int (*)(std::FILE*)> input(std::fopen(file.c_str(), "r"), &std::fclose);
  EVP_PKEY* key = input ? PEM_read_PrivateKey(input.get(), nullptr, nullptr, nullptr) : nullptr;
  if (key == nullptr) throw std::runtime_error(file + ": no private key in PEM could be read");
  return key;
}

EVP_PKEY* make_key(Signer::Kind kind) {
  EVP_PKEY* key = kind == Signer::Kind::Ed25519 ? EVP_PKEY_Q_keygen(nullptr, nullptr, "ED25519")
                                                : EVP_PKEY_Q_keygen(nullptr, nullptr, "RSA", std::size_t{2048});
  if (key == nullptr) throw std::runtime_error("no key could be made for webhooks");
  return key;
}

std::string base64(const std::string& bytes) {
  std::string text(4 * ((bytes.size() + 2) / 3) + 1, '\0');
  const int size =
      EVP_EncodeBlock(reinterpret_cast<unsigned char*>(text.data()),
                      reinterpret_cast<const unsigned char*>(bytes.data()), static_cast<int>(bytes.size()));
  text.resize(static_cast<std::size_t>(size));
  return text;
}

}  // namespace

void Signer::Free::operator()(void* key) const { EVP_PKEY_free(static_cast<EVP_PKEY*>(key)); }

Signer::Signer(Kind kind, const std::string& file) : kind_(kind), key_(file.empty() ? make_key(kind) : read_key(file)) {
  const int wanted = kind == Kind::Ed25519 ? EVP_PKEY_ED25519 : EVP_PKEY_RSA;
  if (EVP_PKEY_base_id(static_cast<EVP_PKEY*>(key_.get())) != wanted) {
    throw std::runtime_error(file + ": expected " + (kind == Kind::Ed25519 ? "an Ed25519" : "an RSA") + " key");
  }
}

std::string Signer::sign(std::string_view body) const {
  const std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)> context(EVP_MD_CTX_new(), &EVP_MD_CTX_free);
  const auto* bytes = reinterpret_cast<const unsigned char*>(body.data());
  const EVP_MD* digest = kind_ == Kind::Rsa ? EVP_sha256() : nullptr;
  std::size_t size = 0;
  if (EVP_DigestSignInit(context.get(), nullptr, digest, nullptr, static_cast<EVP_PKEY*>(key_.get())) != 1 ||
      EVP_DigestSign(context.get(), nullptr, &size, bytes, body.size()) != 1) {
    throw std::runtime_error("a webhook could not be signed");
  }
  std::string signature(size, '\0');
  if (EVP_DigestSign(context.get(), reinterpret_cast<unsigned char*>(signature.data()), &size, bytes, body.size()) !=
      1) {
    throw std::runtime_error("a webhook could not be signed");
  }
  signature.resize(size);
  return base64(signature);
}

std::string Signer::public_key() const {
  const std::unique_ptr<BIO, decltype(&BIO_free)> memory(BIO_new(BIO_s_mem()), &BIO_free);
  PEM_write_bio_PUBKEY(memory.get(), static_cast<EVP_PKEY*>(key_.get()));
  char* text = nullptr;
  const long size = BIO_get_mem_data(memory.get(), &text);
  return {text, static_cast<std::size_t>(size)};
}

}  // namespace simulator
