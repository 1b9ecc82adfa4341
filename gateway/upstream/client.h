// The upstream over libcurl multi on Asio: pooled connections, HTTP/2 where the server speaks it, TLS verified.
// Everything runs on the io_context's single thread. A cancelled send() removes its transfer at once.
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
  std::string target;                       // path and query, appended to the base URL as it is
  policies::Fields fields;                  // sent as they are; Host, Content-Length and framing are the client's own
  std::shared_ptr<const std::string> body;  // null: none
  std::chrono::milliseconds timeout{0};     // 0: the client's own limit; never longer than it
};

struct Response {
  int status = 0;
  policies::Fields fields;  // end-to-end fields as received: order, case and repeats kept; hop-by-hop ones dropped
  std::string body;         // bytes as received, no content decoding
  int http_version = 11;
};

// Why there is no answer, by what it proves about the request (issue: a POST may be repeated only if surely not
// applied).
enum class Failure {
  Resolve,         // not sent
  Connect,         // refused or unreachable: not sent
  ConnectTimeout,  // not sent
  Tls,             // handshake or certificate: not sent
  Timeout,         // may have been applied
  Reset,           // closed or reset before the whole answer: may have been applied
  Protocol,        // not HTTP, wrong length, bad framing: may have been applied
  TooLarge,        // answer over the limit: may have been applied
};
std::string_view to_string(Failure failure);
bool surely_not_applied(Failure failure);

struct Failed {
  Failure failure = Failure::Reset;
  std::string detail;  // libcurl's words, without URL, fields or body
};

struct Outcome {
  std::variant<Response, Failed> result;
  std::chrono::microseconds total{0};
  bool reused_connection = false;
};

struct Options {
  std::string base_url = "https://services.leadconnectorhq.com";
  std::chrono::milliseconds timeout{30'000};
  std::chrono::milliseconds connect_timeout{5'000};
  std::size_t answer_bytes = 10 * 1024 * 1024;
  std::size_t connections = 100;  // to one host; more requests wait inside libcurl
  std::string ca_file;            // empty: the system's
};

class Client {
 public:
  Client(asio::io_context& io,
         Options options);  // throws std::invalid_argument on a URL that is not http(s)://host[:port][/path]
  ~Client();
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;

  asio::awaitable<Outcome> send(Request request);
  std::size_t in_flight() const;

 private:
  class Impl;
  std::shared_ptr<Impl> impl_;
};

}  // namespace gateway::upstream
