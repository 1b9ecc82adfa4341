#include "tests/support/certificates.h"

#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include <cstdio>
#include <stdexcept>

namespace test_support {
namespace {

constexpr long kDay = 24 * 3600;

void require(bool good, const char* what) {
  if (!good) throw std::runtime_error(std::string("cannot make a certificate: ") + what);
}

void add_extension(X509* certificate, X509* issuer, int id, const char* value) {
  X509V3_CTX context;
  X509V3_set_ctx(&context, issuer, certificate, nullptr, nullptr, 0);
  X509_EXTENSION* extension = X509V3_EXT_conf_nid(nullptr, &context, id, value);
  require(extension != nullptr && X509_add_ext(certificate, extension, -1) == 1, value);
  X509_EXTENSION_free(extension);
}

}  // namespace

void Authority::FreeKey::operator()(EVP_PKEY* key) const { EVP_PKEY_free(key); }
void Authority::FreeCertificate::operator()(X509* certificate) const { X509_free(certificate); }

Authority::Authority(std::string name) : name_(std::move(name)), key_(EVP_EC_gen("P-256")) {
  certificate_ = make(name_, key_.get(), 2);
  pair_ = write(name_, certificate_.get(), key_.get());
}

PemPair Authority::issue(std::string_view name, int days) {
  const Key key(EVP_EC_gen("P-256"));
  const auto certificate = make(name, key.get(), days);
  return write(name, certificate.get(), key.get());
}

Authority::Certificate Authority::make(std::string_view name, EVP_PKEY* key, int days) {
  Certificate made(X509_new());
  X509* certificate = made.get();
  X509* issuer = certificate_ ? certificate_.get() : certificate;
  X509_set_version(certificate, 2);
  ASN1_INTEGER_set(X509_get_serialNumber(certificate), ++serial_);
  X509_gmtime_adj(X509_getm_notBefore(certificate), -10 * kDay);
  X509_gmtime_adj(X509_getm_notAfter(certificate), days * kDay);
  X509_NAME_add_entry_by_txt(X509_get_subject_name(certificate), "CN", MBSTRING_UTF8,
                             reinterpret_cast<const unsigned char*>(name.data()), static_cast<int>(name.size()), -1, 0);
  X509_set_issuer_name(certificate, X509_get_subject_name(issuer));
  X509_set_pubkey(certificate, key);
  add_extension(certificate, issuer, NID_basic_constraints, certificate_ ? "critical,CA:FALSE" : "critical,CA:TRUE");
  if (certificate_) add_extension(certificate, issuer, NID_subject_alt_name, "DNS:localhost,IP:127.0.0.1");
  require(X509_sign(certificate, certificate_ ? key_.get() : key, EVP_sha256()) > 0, "signature");
  return made;
}

PemPair Authority::write(std::string_view name, X509* certificate, EVP_PKEY* key) const {
  const PemPair pair{folder_.path() / (std::string(name) + ".pem"), folder_.path() / (std::string(name) + "-key.pem")};
  std::FILE* file = std::fopen(pair.certificate.c_str(), "w");
  require(file != nullptr && PEM_write_X509(file, certificate) == 1 && std::fclose(file) == 0, "file");
  file = std::fopen(pair.key.c_str(), "w");
  require(file != nullptr && PEM_write_PrivateKey(file, key, nullptr, nullptr, 0, nullptr, nullptr) == 1 &&
              std::fclose(file) == 0,
          "file");
  return pair;
}

}  // namespace test_support
