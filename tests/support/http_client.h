// A small blocking HTTP/1.1 client for tests: keep-alive, exact bytes out, everything received told as it came. It is
// no code of the gateway's, so that a mistake there is not made here once more. One thread at a time.
#pragma once

#include <chrono>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "tests/support/eventually.h"

namespace test_support {

using HttpFields = std::vector<std::pair<std::string, std::string>>;

struct HttpRequest {
  std::string method = "GET";
  std::string target = "/";
  HttpFields fields{};  // Host and, with a body, Content-Length are added where they are missing
  std::string body{};
};

struct HttpResponse {
  int version = 11;  // 10 or 11
  int status = 0;
  std::string reason;
  HttpFields fields;  // in their order and spelling
  std::string body;   // without its chunk framing
  HttpFields trailers;
  std::vector<int> interim;  // statuses of the 1xx answers before it
  std::string head;          // the header block as received

  // The first field's value; empty where there is none. Names compare without case (RFC 9110 section 5.1).
  std::string field(std::string_view name) const;
  bool has(std::string_view name) const;
  std::size_t count(std::string_view name) const;
};

class HttpError : public std::runtime_error {
 public:
  enum class Kind { Connect, Timeout, Closed, Malformed };
  HttpError(Kind what, const std::string& text) : std::runtime_error(text), kind(what) {}
  Kind kind;
};

class HttpClient {
 public:
  // `address`: "127.0.0.1:8080", "[::1]:8080", "unix:PATH", the first two also behind "http://". Connects on first use.
  explicit HttpClient(std::string address, milliseconds timeout = milliseconds{10'000});
  ~HttpClient() { close(); }
  HttpClient(HttpClient&& other) noexcept;
  HttpClient& operator=(HttpClient&&) = delete;

  // One request and its answer. A kept connection that the server has closed in the meantime is replaced by a new one
  // before anything is sent.
  HttpResponse send(const HttpRequest& request);
  HttpResponse get(std::string target, HttpFields fields = {});

  // The raw half: any bytes, then any number of answers.
  void connect();
  void write(std::string_view bytes);
  std::size_t write_some(std::string_view bytes);  // what the socket takes now, without waiting
  HttpResponse read(std::string_view method = "GET");
  std::string read_until_closed();
  std::string read_bytes(std::size_t count);  // exactly so many
  bool closed_by_peer(milliseconds limit);    // the end of the stream or a reset, and not a byte before it
  void shut_down_writing();
  void reset();  // closes with a TCP reset
  void close();

  bool connected() const { return socket_ >= 0; }
  int descriptor() const { return socket_; }
  const std::string& address() const { return address_; }

 private:
  bool fill(const Deadline& deadline);  // false at the end of the stream
  std::string line(const Deadline& deadline);
  std::string exactly(std::size_t count, const Deadline& deadline);
  HttpResponse one(const Deadline& deadline, std::string_view method);
  HttpFields fields(const Deadline& deadline, std::string* head);
  void chunked_body(HttpResponse& response, const Deadline& deadline);
  void wait(short events, const Deadline& deadline);

  std::string address_;
  milliseconds timeout_;
  int socket_ = -1;
  std::string received_;
};

std::string to_bytes(const HttpRequest& request, std::string_view host);

}  // namespace test_support
