// The upstream over libcurl multi on Asio: pooled connections, HTTP/2 where the server speaks it, TLS verified, no
// redirects, no cookies, nothing decoded. Proxies as libcurl reads them (https_proxy, http_proxy, all_proxy, no_proxy),
// through CONNECT only; a loopback upstream is never reached through one.
//
// Threads: everything runs on the io_context's single thread. Ownership: a Client is destroyed before its io_context.
// Cancellation: send() honours the coroutine's cancellation slot; its transfer (HTTP/1: its connection, HTTP/2: its
// stream) is gone before the cancelled coroutine resumes. Destroying the Client does the same to all of them.
//
// One send() is one attempt. libcurl by itself repeats a request of any method, up to five times, when a reused
// connection closed before the first byte of an answer; a POST could then be applied twice and an attempt would go
// unpermitted. Here that repetition is refused and reported (Reset, or Connect where not one byte had left), so that
// the retry policy decides. RFC 9110 (semantics, section 7.6.1 hop-by-hop), RFC 9112 (section 9.2: an answer nobody
// asked for is never used).
#pragma once

#include <asio/awaitable.hpp>
#include <chrono>
#include <memory>
#include <string>
#include <string_view>
#include <variant>

#include "policies/fields.h"

namespace asio {
class io_context;
}

namespace gateway::upstream {

struct Request {
  std::string method;
  std::string target;       // path and query, appended to the base URL as it is
  policies::Fields fields;  // sent as they are; Host, Content-Length, framing, hop-by-hop fields are the client's own
  std::shared_ptr<const std::string> body;  // null: none. POST, PUT and PATCH without one say Content-Length: 0
  std::chrono::milliseconds timeout{0};     // 0: the client's own limit; never longer than it
};

struct Response {
  int status = 0;
  policies::Fields fields;  // end-to-end fields as received: order, case and repeats kept; hop-by-hop ones dropped
  std::string body;         // bytes as received, no content decoding
  int http_version = 11;
};

// Why there is no answer, by what it proves about the request (a POST may be repeated only if it was surely not
// applied).
enum class Failure {
  Unsendable,      // a method, target or field that HTTP cannot carry: not sent, and not to be tried again
  Resolve,         // not sent
  Connect,         // refused or unreachable: not sent
  ConnectTimeout,  // not sent
  Tls,             // handshake: not sent
  Certificate,     // not trusted, of another host or out of its time: not sent
  Timeout,         // may have been applied
  Reset,           // closed or reset before the whole answer: may have been applied
  Protocol,        // not HTTP, wrong length, bad framing: may have been applied
  TooLarge,        // answer over the limit: may have been applied
};
std::string_view to_string(Failure failure);
bool surely_not_applied(Failure failure);

struct Failed {
  Failure failure = Failure::Reset;
  std::string detail;  // fixed words of libcurl, OpenSSL and the system; never URL, fields or body
};

struct Outcome {
  std::variant<Response, Failed> result;
  std::chrono::microseconds total{0};
  bool reused_connection = false;
};

struct Options {
  std::string base_url = "https://services.leadconnectorhq.com";
  std::chrono::milliseconds timeout{
      30'000};  // from send() to the answer's last byte, waiting for a connection included
  std::chrono::milliseconds connect_timeout{5'000};  // name, TCP and TLS together
  std::size_t answer_bytes = 10 * 1024 * 1024;       // body
  std::size_t answer_field_bytes = 64 * 1024;        // status lines and fields, interim answers included
  std::size_t connections = 100;                     // to one host; more requests wait inside libcurl
  std::chrono::seconds idle{50};  // a connection idle for longer is not used again: load balancers close at 60 s
  std::string ca_file;            // empty: the system's
};

class Client {
 public:
  // Throws std::invalid_argument on a URL that is not http(s)://host[:port][/path] and on a ca_file that cannot be
  // read.
  Client(asio::io_context& io, Options options);
  ~Client();
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;

  asio::awaitable<Outcome> send(Request request);  // throws std::system_error(operation_aborted) when cancelled
  std::size_t in_flight() const;
  // For good: what is under way is cancelled, and told so by the io_context's handlers. send() is over.
  void close();

 private:
  class Impl;
  std::shared_ptr<Impl> impl_;
};

}  // namespace gateway::upstream
