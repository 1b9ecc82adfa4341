// TLS at the edge, by OpenSSL: what a server shows and demands (TlsContext), and one client's session (TlsSession).
// TLS 1.2 and 1.3 with forward secrecy, `http/1.1` by ALPN (RFC 7301), session tickets under keys of this context's
// own. Renegotiation, compression and early data are off.
//
// A TlsContext is immutable; any thread. A TlsSession belongs to one thread at a time: it is made and does its
// handshake on a thread of Handshakes, then moves to its worker. It does not own the descriptor.
#pragma once

#include <cstddef>
#include <ctime>
#include <memory>
#include <string>
#include <string_view>

struct ssl_ctx_st;
struct ssl_st;

namespace gateway::server {

class TlsSession {
 public:
  enum class Handshake { Done, WantRead, WantWrite, Failed };

  TlsSession(ssl_ctx_st& context, int fd);

  Handshake handshake();        // as far as it goes without waiting
  std::string failure() const;  // why it failed, in OpenSSL's words; never bytes of the client's
  bool resumed() const;

  // As recv(2) and send(2) with MSG_NOSIGNAL: -1 with errno EAGAIN when the kernel has no more bytes or room. read()
  // answers 0 at the client's close_notify or end of stream. After a write() that was not taken the next one must begin
  // with the same bytes and be as long at least.
  long read(char* buffer, std::size_t size);
  long write(std::string_view bytes);
  void close_notify();  // after the last write; not waited for

 private:
  long failed(int result);

  struct Free {
    void operator()(ssl_st* session) const;
  };
  std::unique_ptr<ssl_st, Free> session_;
  unsigned long error_ = 0;
  long verify_ = 0;
};

class TlsContext {
 public:
  struct Files {
    std::string certificate;  // PEM: the server's own first, then the chain
    std::string key;          // PEM, not encrypted
    std::string client_ca;    // PEM bundle; empty: clients need no certificate
  };

  // Reads the files. Throws std::runtime_error that names the file and what is wrong with it.
  explicit TlsContext(const Files& files);

  std::unique_ptr<TlsSession> session(int fd) const;
  std::time_t not_after() const { return not_after_; }  // the end of the server certificate's validity
  bool valid_at(std::time_t now) const { return not_before_ <= now && now < not_after_; }

 private:
  struct Free {
    void operator()(ssl_ctx_st* context) const;
  };
  std::unique_ptr<ssl_ctx_st, Free> context_;
  std::time_t not_before_ = 0;
  std::time_t not_after_ = 0;
};

}  // namespace gateway::server
