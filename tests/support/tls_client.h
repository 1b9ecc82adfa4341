// A small blocking TLS client for tests, over 127.0.0.1. One thread at a time.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "tests/support/certificates.h"

struct ssl_ctx_st;
struct ssl_st;
struct ssl_session_st;

namespace test_support {

struct TlsOptions {
  std::string ca;                // trusted; empty: everything
  std::optional<PemPair> own{};  // the client's certificate
  int version = 0;               // OpenSSL's number (TLS1_2_VERSION) to speak only that
  std::string ciphers{};         // for 1.2
  std::string protocols{};       // ALPN, wire format: "\x02h2\x08http/1.1"
  int receive_buffer = 0;        // bytes; 0: the system's
};

class TlsClient {
 public:
  TlsClient(const std::string& address, const TlsOptions& options);  // connects; no handshake yet
  ~TlsClient();
  TlsClient(const TlsClient&) = delete;
  TlsClient& operator=(const TlsClient&) = delete;

  bool handshake();  // with what was taken up by resume(); false: failure() says why
  void resume(const TlsClient& earlier);
  void write(std::string_view bytes);
  // What comes until there are `size` bytes, the server's close_notify or an error; kind of the end in `ended`.
  std::string read(std::size_t size);
  std::string read_answer();  // one HTTP answer with its Content-Length; less at an end
  std::string read_all() { return read(static_cast<std::size_t>(-1)); }
  enum class End { None, CloseNotify, Error } ended = End::None;

  bool resumed() const;
  std::string failure() const;  // OpenSSL's words for the last error
  std::string version() const;
  std::string protocol() const;     // as chosen by ALPN
  std::string server_name() const;  // CN of the server's certificate
  int descriptor() const { return socket_; }

 private:
  struct Free {
    void operator()(ssl_ctx_st* context) const;
    void operator()(ssl_st* session) const;
  };
  int socket_ = -1;
  std::unique_ptr<ssl_ctx_st, Free> context_;
  std::unique_ptr<ssl_st, Free> tls_;
  unsigned long error_ = 0;
};

}  // namespace test_support
