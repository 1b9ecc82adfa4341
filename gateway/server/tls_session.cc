// One client's TLS session over a non-blocking socket.
#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <sys/socket.h>

#include <cerrno>
#include <new>

#include "gateway/server/tls.h"

namespace gateway::server {

namespace {

int descriptor_of(BIO* bio) { return static_cast<int>(reinterpret_cast<std::intptr_t>(BIO_get_data(bio))); }

int told(BIO* bio, long count, int retry) {
  BIO_clear_retry_flags(bio);
  if (count < 0 && (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR)) BIO_set_flags(bio, retry);
  return static_cast<int>(count);
}

int send_to_socket(BIO* bio, const char* bytes, int size) {
  return told(bio, ::send(descriptor_of(bio), bytes, static_cast<std::size_t>(size), MSG_NOSIGNAL),
              BIO_FLAGS_WRITE | BIO_FLAGS_SHOULD_RETRY);
}

int receive_from_socket(BIO* bio, char* bytes, int size) {
  return told(bio, ::recv(descriptor_of(bio), bytes, static_cast<std::size_t>(size), 0),
              BIO_FLAGS_READ | BIO_FLAGS_SHOULD_RETRY);
}

long control(BIO*, int command, long, void*) { return command == BIO_CTRL_FLUSH ? 1 : 0; }

// OpenSSL's own socket BIO writes with write(2): a client that left would raise SIGPIPE.
const BIO_METHOD* quiet_socket() {
  static const BIO_METHOD* const method = [] {
    BIO_METHOD* made = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "quiet socket");
    BIO_meth_set_write(made, send_to_socket);
    BIO_meth_set_read(made, receive_from_socket);
    BIO_meth_set_ctrl(made, control);
    return made;
  }();
  return method;
}

}  // namespace

void TlsSession::Free::operator()(SSL* session) const { SSL_free(session); }

TlsSession::TlsSession(SSL_CTX& context, int fd) : session_(SSL_new(&context)) {
  BIO* bio = BIO_new(quiet_socket());
  if (!session_ || bio == nullptr) {
    BIO_free(bio);
    throw std::bad_alloc();
  }
  BIO_set_data(bio, reinterpret_cast<void*>(static_cast<std::intptr_t>(fd)));
  BIO_set_init(bio, 1);
  SSL_set_bio(session_.get(), bio, bio);
  SSL_set_accept_state(session_.get());
}

TlsSession::Handshake TlsSession::handshake() {
  ERR_clear_error();
  const int result = SSL_do_handshake(session_.get());
  if (result == 1) return Handshake::Done;
  switch (SSL_get_error(session_.get(), result)) {
    case SSL_ERROR_WANT_READ:
      return Handshake::WantRead;
    case SSL_ERROR_WANT_WRITE:
      return Handshake::WantWrite;
    default:
      error_ = ERR_peek_last_error();
      verify_ = SSL_get_verify_result(session_.get());
      ERR_clear_error();
      return Handshake::Failed;
  }
}

std::string TlsSession::failure() const {
  if (verify_ != X509_V_OK)
    return std::string("the client's certificate was refused: ") + X509_verify_cert_error_string(verify_);
  if (error_ == 0) return "the client left";
  const char* reason = ERR_reason_error_string(error_);
  return reason != nullptr ? reason : "TLS error " + std::to_string(ERR_GET_REASON(error_));
}

bool TlsSession::resumed() const { return SSL_session_reused(session_.get()) == 1; }

long TlsSession::failed(int result) {
  switch (SSL_get_error(session_.get(), result)) {
    case SSL_ERROR_WANT_READ:
    case SSL_ERROR_WANT_WRITE:
      errno = EAGAIN;
      return -1;
    case SSL_ERROR_ZERO_RETURN:
      return 0;
    default:
      ERR_clear_error();
      errno = ECONNRESET;
      return -1;
  }
}

long TlsSession::read(char* buffer, std::size_t size) {
  ERR_clear_error();
  const int count = SSL_read(session_.get(), buffer, static_cast<int>(size));
  return count > 0 ? count : failed(count);
}

long TlsSession::write(std::string_view bytes) {
  ERR_clear_error();
  const int count = SSL_write(session_.get(), bytes.data(), static_cast<int>(bytes.size()));
  if (count > 0) return count;
  const long answer = failed(count);
  if (answer != 0) return answer;
  errno = EPIPE;
  return -1;
}

void TlsSession::close_notify() {
  ERR_clear_error();
  SSL_shutdown(session_.get());
  ERR_clear_error();
}

}  // namespace gateway::server
