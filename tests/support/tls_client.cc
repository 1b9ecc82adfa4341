#include "tests/support/tls_client.h"

#include <arpa/inet.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <stdexcept>

#include "tests/support/loopback.h"

namespace test_support {
namespace {

constexpr timeval kPatience{10, 0};

int connect_to(const std::string& address, int receive_buffer) {
  const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  ::setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &kPatience, sizeof kPatience);
  ::setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &kPatience, sizeof kPatience);
  if (receive_buffer > 0) ::setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &receive_buffer, sizeof receive_buffer);
  const auto to = loopback(address);
  if (::connect(fd, reinterpret_cast<const sockaddr*>(&to), sizeof to) != 0)
    throw std::runtime_error("cannot connect to " + address);
  return fd;
}

}  // namespace

void TlsClient::Free::operator()(SSL_CTX* context) const { SSL_CTX_free(context); }
void TlsClient::Free::operator()(SSL* session) const { SSL_free(session); }

TlsClient::TlsClient(const std::string& address, const TlsOptions& options)
    : socket_(connect_to(address, options.receive_buffer)), context_(SSL_CTX_new(TLS_client_method())) {
  ::signal(SIGPIPE, SIG_IGN);  // OpenSSL writes with write(2)
  SSL_CTX* context = context_.get();
  if (options.version != 0) {
    SSL_CTX_set_min_proto_version(context, options.version);
    SSL_CTX_set_max_proto_version(context, options.version);
    SSL_CTX_set_security_level(context, 0);
  }
  if (!options.ciphers.empty()) SSL_CTX_set_cipher_list(context, options.ciphers.c_str());
  if (!options.ca.empty()) {
    SSL_CTX_load_verify_file(context, options.ca.c_str());
    SSL_CTX_set_verify(context, SSL_VERIFY_PEER, nullptr);
  }
  if (options.own) {
    SSL_CTX_use_certificate_chain_file(context, options.own->certificate.c_str());
    SSL_CTX_use_PrivateKey_file(context, options.own->key.c_str(), SSL_FILETYPE_PEM);
  }
  tls_.reset(SSL_new(context));
  if (!options.protocols.empty())
    SSL_set_alpn_protos(tls_.get(), reinterpret_cast<const unsigned char*>(options.protocols.data()),
                        static_cast<unsigned>(options.protocols.size()));
  SSL_set_fd(tls_.get(), socket_);
  SSL_set_connect_state(tls_.get());
}

TlsClient::~TlsClient() { ::close(socket_); }

bool TlsClient::handshake() {
  ERR_clear_error();
  const bool done = SSL_do_handshake(tls_.get()) == 1;
  error_ = ERR_peek_last_error();
  return done;
}

void TlsClient::resume(const TlsClient& earlier) { SSL_set_session(tls_.get(), SSL_get0_session(earlier.tls_.get())); }

void TlsClient::write(std::string_view bytes) {
  ERR_clear_error();
  if (SSL_write(tls_.get(), bytes.data(), static_cast<int>(bytes.size())) != static_cast<int>(bytes.size()))
    error_ = ERR_peek_last_error(), ended = End::Error;
}

std::string TlsClient::read(std::size_t size) {
  std::string all;
  while (all.size() < size && ended == End::None) {
    char block[16'384];
    ERR_clear_error();
    const int count = SSL_read(tls_.get(), block, static_cast<int>(std::min(size - all.size(), sizeof block)));
    if (count > 0) {
      all.append(block, static_cast<std::size_t>(count));
      continue;
    }
    ended = SSL_get_error(tls_.get(), count) == SSL_ERROR_ZERO_RETURN ? End::CloseNotify : End::Error;
    error_ = ERR_peek_last_error();
  }
  return all;
}

std::string TlsClient::read_answer() {
  std::string answer;
  while (ended == End::None) {
    const auto end = answer.find("\r\n\r\n"), length = answer.find("Content-Length: ");
    if (end != std::string::npos && length < end) {
      const auto whole = end + 4 + std::stoul(answer.substr(length + 16));
      if (answer.size() >= whole) break;
      answer += read(whole - answer.size());
      continue;
    }
    answer += read(std::max(1, SSL_pending(tls_.get())));
  }
  return answer;
}

bool TlsClient::resumed() const { return SSL_session_reused(tls_.get()) == 1; }

std::string TlsClient::failure() const {
  const char* reason = ERR_reason_error_string(error_);
  return reason != nullptr ? reason : "";
}

std::string TlsClient::version() const { return SSL_get_version(tls_.get()); }

std::string TlsClient::protocol() const {
  const unsigned char* name = nullptr;
  unsigned size = 0;
  SSL_get0_alpn_selected(tls_.get(), &name, &size);
  return {reinterpret_cast<const char*>(name), size};
}

std::string TlsClient::server_name() const {
  char name[128] = "";
  X509_NAME_get_text_by_NID(X509_get_subject_name(SSL_get0_peer_certificate(tls_.get())), NID_commonName, name,
                            sizeof name);
  return name;
}

}  // namespace test_support
