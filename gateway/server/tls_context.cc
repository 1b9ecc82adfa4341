// What the server shows and demands: certificate, key, protocol versions, ciphers, ALPN, client certificates.
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>

#include <stdexcept>

#include "gateway/server/tls.h"

namespace gateway::server {

namespace {

// RFC 9325 section 4.2: with TLS 1.2 only what has forward secrecy and authenticated encryption. 1.3 has nothing else.
constexpr const char* kCiphers = "ECDHE+AESGCM:ECDHE+CHACHA20";
constexpr std::string_view kProtocol = "http/1.1";
constexpr long kSessionSeconds = 3600;

[[noreturn]] void refuse(const std::string& file, const std::string& what) {
  char reason[160] = "";
  const auto error = ERR_peek_last_error();
  if (error != 0) ERR_error_string_n(error, reason, sizeof reason);
  ERR_clear_error();
  throw std::runtime_error(file + ": " + what + (error != 0 ? std::string(" (") + reason + ")" : ""));
}

int no_passphrase(char*, int, int, void*) { return 0; }

// A client that offers protocols, but not this one, would not understand the answers: it gets an alert (RFC 7301
// section 3.2).
int choose_protocol(SSL*, const unsigned char** out, unsigned char* size, const unsigned char* offered,
                    unsigned int offered_size, void*) {
  static constexpr unsigned char kOurs[] = "\x08http/1.1";
  unsigned char* chosen = nullptr;
  if (SSL_select_next_proto(&chosen, size, kOurs, static_cast<unsigned int>(kProtocol.size() + 1), offered,
                            offered_size) != OPENSSL_NPN_NEGOTIATED)
    return SSL_TLSEXT_ERR_ALERT_FATAL;
  *out = chosen;
  return SSL_TLSEXT_ERR_OK;
}

std::time_t to_time(const ASN1_TIME* time) {
  std::tm parts{};
  return time != nullptr && ASN1_TIME_to_tm(time, &parts) == 1 ? timegm(&parts) : 0;
}

void load_pair(SSL_CTX* context, const TlsContext::Files& files) {
  if (SSL_CTX_use_certificate_chain_file(context, files.certificate.c_str()) != 1)
    refuse(files.certificate, "expected a PEM certificate with its chain");
  if (SSL_CTX_use_PrivateKey_file(context, files.key.c_str(), SSL_FILETYPE_PEM) != 1) {
    const bool mismatch = ERR_GET_REASON(ERR_peek_last_error()) == X509_R_KEY_VALUES_MISMATCH;
    refuse(files.key,
           mismatch ? "is not the key of " + files.certificate : "expected a PEM private key that is not encrypted");
  }
  if (SSL_CTX_check_private_key(context) != 1) refuse(files.key, "is not the key of " + files.certificate);
}

void demand_client_certificates(SSL_CTX* context, const std::string& authorities) {
  STACK_OF(X509_NAME)* names = SSL_load_client_CA_file(authorities.c_str());
  if (names == nullptr || SSL_CTX_load_verify_file(context, authorities.c_str()) != 1)
    refuse(authorities, "expected a PEM bundle of certification authorities");
  SSL_CTX_set_client_CA_list(context, names);
  SSL_CTX_set_verify(context, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, nullptr);
}

}  // namespace

void TlsContext::Free::operator()(SSL_CTX* context) const { SSL_CTX_free(context); }

TlsContext::TlsContext(const Files& files) : context_(SSL_CTX_new(TLS_server_method())) {
  SSL_CTX* context = context_.get();
  if (context == nullptr) throw std::runtime_error("OpenSSL has no room for a TLS context");
  ERR_clear_error();
  SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION);
  SSL_CTX_set_cipher_list(context, kCiphers);
  // A client that goes without close_notify has ended all the same: requests carry their length.
  SSL_CTX_set_options(context, SSL_OP_CIPHER_SERVER_PREFERENCE | SSL_OP_PRIORITIZE_CHACHA | SSL_OP_NO_RENEGOTIATION |
                                   SSL_OP_NO_COMPRESSION | SSL_OP_IGNORE_UNEXPECTED_EOF);
  // Idle connections hold no buffers; a write may be taken in part and repeated from elsewhere.
  SSL_CTX_set_mode(context,
                   SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER | SSL_MODE_RELEASE_BUFFERS);
  SSL_CTX_set_read_ahead(context, 1);  // a record's head and data with one recv
  SSL_CTX_set_session_id_context(context, reinterpret_cast<const unsigned char*>("gateway"), 7);
  SSL_CTX_set_timeout(context, kSessionSeconds);
  SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);  // tickets hold the state, at the client
  SSL_CTX_set_alpn_select_cb(context, choose_protocol, nullptr);
  SSL_CTX_set_default_passwd_cb(context, no_passphrase);
  load_pair(context, files);
  if (!files.client_ca.empty()) demand_client_certificates(context, files.client_ca);
  const X509* own = SSL_CTX_get0_certificate(context);
  not_before_ = to_time(X509_get0_notBefore(own));
  not_after_ = to_time(X509_get0_notAfter(own));
}

std::unique_ptr<TlsSession> TlsContext::session(int fd) const { return std::make_unique<TlsSession>(*context_, fd); }

}  // namespace gateway::server
