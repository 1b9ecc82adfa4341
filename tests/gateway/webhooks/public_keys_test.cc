#include "gateway/webhooks/public_keys.h"

#include <doctest/doctest.h>
#include <openssl/evp.h>
#include <openssl/pem.h>

#include <memory>

using gateway::config::Settings;
using gateway::webhooks::PublicKeys;
using gateway::webhooks::Signature;

namespace {

std::string base64(const std::string& bytes) {
  std::string text(4 * ((bytes.size() + 2) / 3) + 1, '\0');
  text.resize(static_cast<std::size_t>(EVP_EncodeBlock(reinterpret_cast<unsigned char*>(text.data()),
                                                       reinterpret_cast<const unsigned char*>(bytes.data()),
                                                       static_cast<int>(bytes.size()))));
  return text;
}

// As an environment file gives it, which has no line breaks in a value.
std::string escaped(const std::string& pem, const std::string& line_break = "\\n") {
  std::string text;
  for (const char c : pem) text += c == '\n' ? line_break : std::string(1, c);
  return text;
}

// A sender: its private key.
class Sender {
 public:
  explicit Sender(bool rsa = false)
      : key_(rsa ? EVP_PKEY_Q_keygen(nullptr, nullptr, "RSA", std::size_t{2048})
                 : EVP_PKEY_Q_keygen(nullptr, nullptr, "ED25519"),
             &EVP_PKEY_free),
        rsa_(rsa) {}
  std::string sign(std::string_view body) const {
    const std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)> context(EVP_MD_CTX_new(), &EVP_MD_CTX_free);
    std::string out(512, '\0');
    std::size_t size = out.size();
    REQUIRE(EVP_DigestSignInit(context.get(), nullptr, rsa_ ? EVP_sha256() : nullptr, nullptr, key_.get()) == 1);
    REQUIRE(EVP_DigestSign(context.get(), reinterpret_cast<unsigned char*>(out.data()), &size,
                           reinterpret_cast<const unsigned char*>(body.data()), body.size()) == 1);
    out.resize(size);
    return base64(out);
  }
  std::string pem() const {
    const std::unique_ptr<BIO, decltype(&BIO_free)> memory(BIO_new(BIO_s_mem()), &BIO_free);
    PEM_write_bio_PUBKEY(memory.get(), key_.get());
    char* text = nullptr;
    const long size = BIO_get_mem_data(memory.get(), &text);
    return {text, static_cast<std::size_t>(size)};
  }
  std::string raw() const {
    std::string bytes(32, '\0');
    std::size_t size = bytes.size();
    EVP_PKEY_get_raw_public_key(key_.get(), reinterpret_cast<unsigned char*>(bytes.data()), &size);
    return bytes;
  }
  std::string hex() const {
    std::string text;
    for (const unsigned char c : raw()) text += "0123456789abcdef"[c >> 4], text += "0123456789ABCDEF"[c & 15];
    return text;
  }

 private:
  std::unique_ptr<EVP_PKEY, decltype(&EVP_PKEY_free)> key_;
  bool rsa_;
};

Signature check(const Settings::Webhooks& settings, std::vector<policies::FieldView> fields, std::string_view body) {
  return PublicKeys(settings).check(fields, body);
}

std::string refusal(const Settings::Webhooks& settings) {
  try {
    PublicKeys{settings};
  } catch (const std::invalid_argument& e) {
    return e.what();
  }
  return "";
}

}  // namespace

TEST_SUITE_BEGIN("webhooks");

TEST_CASE("a key is taken as PEM, base64 and hex, and decides over the raw body") {
  const Sender sender, stranger;
  const std::string body = R"({"type":"ContactUpdate"})";
  const auto signature = sender.sign(body), foreign = stranger.sign(body);
  for (const auto& form : {sender.pem(), base64(sender.raw()), sender.hex(), "\n" + sender.pem() + "\n",
                           escaped(sender.pem()), escaped(sender.pem(), "\\r\\n")}) {
    CAPTURE(form);
    const Settings::Webhooks settings{{form}, {}, {}};
    CHECK(check(settings, {{"X-GHL-Signature", signature}}, body) == Signature::Valid);
    CHECK(check(settings, {{"x-ghl-signature", signature}}, body + " ") == Signature::Forged);
    CHECK(check(settings, {{"x-ghl-signature", foreign}}, body) == Signature::Forged);
    CHECK(check(settings, {{"x-ghl-signature", signature.substr(4)}}, body) == Signature::Forged);
    CHECK(check(settings, {{"x-ghl-signature", "not base64"}}, body) == Signature::Forged);
    CHECK(check(settings, {{"x-ghl-signature", std::string(100'000, 'A')}}, body) == Signature::Forged);
    CHECK(check(settings, {{"x-ghl-signature", signature}, {"x-ghl-signature", signature}}, body) == Signature::Forged);
    CHECK(check(settings, {{"x-ghl-signature", ""}}, body) == Signature::Missing);
    CHECK(check(settings, {}, body) == Signature::Missing);
  }
}

TEST_CASE("while one key replaces another both are taken, as a list or in one file") {
  const Sender old, next, stranger;
  for (const auto& keys : {std::vector<std::string>{old.pem(), next.hex()}, {old.pem() + next.pem()}}) {
    const Settings::Webhooks settings{keys, {}, {}};
    CHECK(check(settings, {{"x-ghl-signature", old.sign("b")}}, "b") == Signature::Valid);
    CHECK(check(settings, {{"x-ghl-signature", next.sign("b")}}, "b") == Signature::Valid);
    CHECK(check(settings, {{"x-ghl-signature", stranger.sign("b")}}, "b") == Signature::Forged);
  }
}

TEST_CASE("the legacy signature counts only where its key is configured and no newer one is there to decide") {
  const Sender current, legacy(true);
  const Settings::Webhooks both{{current.pem()}, {legacy.pem()}, {}}, only_current{{current.pem()}, {}, {}},
      only_legacy{{}, {legacy.pem()}, {}};
  const auto good = legacy.sign("b");
  CHECK(check(both, {{"x-wh-signature", good}}, "b") == Signature::Valid);
  CHECK(check(both, {{"x-wh-signature", good}}, "c") == Signature::Forged);
  CHECK(check(both, {{"x-ghl-signature", current.sign("c")}, {"x-wh-signature", good}}, "b") == Signature::Forged);
  CHECK(check(only_current, {{"x-wh-signature", good}}, "b") == Signature::Missing);
  CHECK(check(only_legacy, {{"x-ghl-signature", "x"}, {"x-wh-signature", good}}, "b") == Signature::Valid);
}

TEST_CASE("a key that is none is refused with its setting and what was expected") {
  const Sender ed25519, rsa(true);
  CHECK(PublicKeys(Settings::Webhooks{}).none());
  CHECK_FALSE(PublicKeys(Settings::Webhooks{{ed25519.pem()}, {}, {}}).none());
  CHECK(refusal({{"abc"}, {}, {}}) ==
        "webhooks.public_key: expected an Ed25519 public key: PEM, or 32 bytes as base64 or hex");
  CHECK(refusal({{ed25519.pem(), base64("too short")}, {}, {}}).starts_with("webhooks.public_key[1]: expected"));
  CHECK(refusal({{rsa.pem()}, {}, {}}).starts_with("webhooks.public_key: expected an Ed25519 public key, this is"));
  CHECK(
      refusal({{"-----BEGIN PUBLIC KEY-----\nAAAA\n"}, {}, {}}).starts_with("webhooks.public_key: expected a public"));
  CHECK(refusal({{}, {ed25519.pem()}, {}}).starts_with("webhooks.legacy_public_key: expected an RSA public key"));
  CHECK(refusal({{}, {"abc"}, {}}).starts_with("webhooks.legacy_public_key: expected a public key in PEM"));
}

TEST_SUITE_END();
