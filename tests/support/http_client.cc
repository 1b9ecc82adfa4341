#include "tests/support/http_client.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <strings.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <cstring>

namespace test_support {
namespace {

using Kind = HttpError::Kind;

bool same_name(std::string_view one, std::string_view other) {
  return one.size() == other.size() && ::strncasecmp(one.data(), other.data(), one.size()) == 0;
}

std::string first(const HttpFields& fields, std::string_view name) {
  for (const auto& [field, value] : fields)
    if (same_name(field, name)) return value;
  return {};
}

std::size_t number(std::string_view text, int base, const char* what) {
  std::size_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value, base);
  if (error == std::errc{} && end == text.data() + text.size()) return value;
  throw HttpError(Kind::Malformed, std::string(what) + " is '" + std::string(text) + "'");
}

union Address {
  sockaddr any;
  sockaddr_in v4;
  sockaddr_in6 v6;
  sockaddr_un local;
};

socklen_t parse_address(std::string_view text, Address& address) {
  std::memset(&address, 0, sizeof address);
  if (text.starts_with("unix:")) {
    text.remove_prefix(5);
    address.local.sun_family = AF_UNIX;
    if (text.size() >= sizeof address.local.sun_path) throw HttpError(Kind::Connect, "unix path too long");
    std::memcpy(address.local.sun_path, text.data(), text.size());
    return sizeof address.local;
  }
  const std::size_t colon = text.rfind(':');
  if (colon == std::string_view::npos) throw HttpError(Kind::Connect, "no port in '" + std::string(text) + "'");
  const auto port = htons(static_cast<std::uint16_t>(number(text.substr(colon + 1), 10, "the port")));
  std::string host(text.substr(0, colon));
  if (host.starts_with('[')) {
    address.v6.sin6_family = AF_INET6;
    address.v6.sin6_port = port;
    if (::inet_pton(AF_INET6, host.substr(1, host.size() - 2).c_str(), &address.v6.sin6_addr) == 1)
      return sizeof address.v6;
  } else {
    address.v4.sin_family = AF_INET;
    address.v4.sin_port = port;
    if (host == "localhost") host = "127.0.0.1";
    if (::inet_pton(AF_INET, host.c_str(), &address.v4.sin_addr) == 1) return sizeof address.v4;
  }
  throw HttpError(Kind::Connect, "'" + host + "' is no numeric address");
}

}  // namespace

std::string HttpResponse::field(std::string_view name) const { return first(fields, name); }

bool HttpResponse::has(std::string_view name) const { return count(name) > 0; }

std::size_t HttpResponse::count(std::string_view name) const {
  std::size_t count = 0;
  for (const auto& [field, value] : fields) count += same_name(field, name) ? 1 : 0;
  return count;
}

std::string to_bytes(const HttpRequest& request, std::string_view host) {
  std::string bytes = request.method + ' ' + request.target + " HTTP/1.1\r\n";
  bool has_host = false, framed = false;
  for (const auto& [name, value] : request.fields) {
    bytes.append(name).append(": ").append(value).append("\r\n");
    has_host = has_host || same_name(name, "Host");
    framed = framed || same_name(name, "Content-Length") || same_name(name, "Transfer-Encoding");
  }
  if (!has_host) bytes.append("Host: ").append(host).append("\r\n");
  if (!framed && !request.body.empty()) bytes += "Content-Length: " + std::to_string(request.body.size()) + "\r\n";
  return bytes + "\r\n" + request.body;
}

HttpClient::HttpClient(std::string address, milliseconds timeout) : address_(std::move(address)), timeout_(timeout) {
  if (address_.starts_with("http://")) address_.erase(0, 7);
  while (address_.ends_with('/')) address_.pop_back();
}

HttpClient::HttpClient(HttpClient&& other) noexcept
    : address_(std::move(other.address_)),
      timeout_(other.timeout_),
      socket_(std::exchange(other.socket_, -1)),
      received_(std::move(other.received_)) {}

void HttpClient::connect() {
  close();
  Address address;
  const socklen_t length = parse_address(address_, address);
  socket_ = ::socket(address.any.sa_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  const int on = 1;
  if (address.any.sa_family != AF_UNIX) ::setsockopt(socket_, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  int error = ::connect(socket_, &address.any, length) == 0 ? 0 : errno;
  if (error == EINPROGRESS) {
    wait(POLLOUT, Deadline(timeout_));
    socklen_t size = sizeof error;
    ::getsockopt(socket_, SOL_SOCKET, SO_ERROR, &error, &size);
  }
  if (error == 0) return;
  close();
  throw HttpError(Kind::Connect, "cannot connect to " + address_ + ": " + std::strerror(error));
}

void HttpClient::wait(short events, const Deadline& deadline) {
  pollfd ready{socket_, events, 0};
  for (;;) {
    const int count = ::poll(&ready, 1, static_cast<int>(deadline.left().count()));
    if (count > 0) return;
    if (count == 0) throw HttpError(Kind::Timeout, "no answer from " + address_ + " in time");
    if (errno != EINTR) throw HttpError(Kind::Closed, std::string("poll: ") + std::strerror(errno));
  }
}

std::size_t HttpClient::write_some(std::string_view bytes) {
  if (!connected()) connect();
  const ssize_t sent = ::send(socket_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
  if (sent >= 0) return static_cast<std::size_t>(sent);
  if (errno == EAGAIN || errno == EINTR) return 0;
  throw HttpError(Kind::Closed, address_ + " closed the connection while it was written to");
}

void HttpClient::write(std::string_view bytes) {
  const Deadline deadline(timeout_);
  while (!bytes.empty()) {
    const std::size_t sent = write_some(bytes);
    bytes.remove_prefix(sent);
    if (sent == 0) wait(POLLOUT, deadline);
  }
}

bool HttpClient::fill(const Deadline& deadline) {
  char buffer[65536];
  for (;;) {
    const ssize_t got = ::recv(socket_, buffer, sizeof buffer, 0);
    if (got > 0) received_.append(buffer, static_cast<std::size_t>(got));
    if (got >= 0) return got > 0;
    if (errno == EAGAIN)
      wait(POLLIN, deadline);
    else if (errno != EINTR)
      throw HttpError(Kind::Closed, address_ + ": " + std::strerror(errno));
  }
}

std::string HttpClient::line(const Deadline& deadline) {
  for (;;) {
    const std::size_t end = received_.find("\r\n");
    if (end != std::string::npos) {
      const std::string line = received_.substr(0, end);
      received_.erase(0, end + 2);
      return line;
    }
    if (!fill(deadline)) throw HttpError(Kind::Closed, address_ + " closed the connection in an answer's head");
  }
}

std::string HttpClient::exactly(std::size_t count, const Deadline& deadline) {
  while (received_.size() < count)
    if (!fill(deadline)) throw HttpError(Kind::Closed, address_ + " closed the connection in an answer's body");
  const std::string bytes = received_.substr(0, count);
  received_.erase(0, count);
  return bytes;
}

HttpFields HttpClient::fields(const Deadline& deadline, std::string* head) {
  HttpFields fields;
  for (std::string text; !(text = line(deadline)).empty();) {
    if (head != nullptr) *head += text + "\r\n";
    const std::size_t colon = text.find(':');
    if (colon == std::string::npos || colon == 0) throw HttpError(Kind::Malformed, "field line '" + text + "'");
    const std::size_t start = text.find_first_not_of(" \t", colon + 1);
    const std::size_t end = text.find_last_not_of(" \t");
    fields.emplace_back(text.substr(0, colon), start == std::string::npos ? "" : text.substr(start, end - start + 1));
  }
  return fields;
}

void HttpClient::chunked_body(HttpResponse& response, const Deadline& deadline) {
  for (;;) {
    const std::string size_line = line(deadline);
    const std::size_t size = number(size_line.substr(0, size_line.find(';')), 16, "a chunk's size");
    if (size == 0) break;
    response.body += exactly(size, deadline);
    if (exactly(2, deadline) != "\r\n") throw HttpError(Kind::Malformed, "a chunk is longer than its size");
  }
  response.trailers = fields(deadline, nullptr);
}

HttpResponse HttpClient::one(const Deadline& deadline, std::string_view method) {
  HttpResponse response;
  const std::string status = line(deadline);
  const bool old = status.starts_with("HTTP/1.0 ");
  if (status.size() < 12 || !(old || status.starts_with("HTTP/1.1 ")))
    throw HttpError(Kind::Malformed, "status line '" + status + "'");
  response.version = old ? 10 : 11;
  response.status = static_cast<int>(number(std::string_view(status).substr(9, 3), 10, "the status"));
  response.reason = status.size() > 13 ? status.substr(13) : "";
  response.head = status + "\r\n";
  response.fields = fields(deadline, &response.head);

  const bool bodiless = method == "HEAD" || response.status < 200 || response.status == 204 || response.status == 304;
  if (bodiless) return response;
  if (same_name(response.field("Transfer-Encoding"), "chunked")) {
    chunked_body(response, deadline);
  } else if (response.has("Content-Length")) {
    response.body = exactly(number(response.field("Content-Length"), 10, "Content-Length"), deadline);
  } else {
    while (fill(deadline)) {
    }
    response.body = std::exchange(received_, {});
  }
  return response;
}

HttpResponse HttpClient::read(std::string_view method) {
  const Deadline deadline(timeout_);
  std::vector<int> interim;
  for (;;) {
    HttpResponse response = one(deadline, method);
    if (response.status >= 200) {
      response.interim = std::move(interim);
      return response;
    }
    interim.push_back(response.status);
  }
}

HttpResponse HttpClient::send(const HttpRequest& request) {
  char byte;
  const bool stale = connected() && (!received_.empty() || ::recv(socket_, &byte, 1, MSG_PEEK) >= 0 || errno != EAGAIN);
  if (stale || !connected()) connect();
  write(to_bytes(request, address_.starts_with("unix:") ? "localhost" : address_));
  HttpResponse response = read(request.method);
  if (same_name(response.field("Connection"), "close")) close();
  return response;
}

HttpResponse HttpClient::get(std::string target, HttpFields fields) {
  return send({.method = "GET", .target = std::move(target), .fields = std::move(fields)});
}

std::string HttpClient::read_until_closed() {
  const Deadline deadline(timeout_);
  while (fill(deadline)) {
  }
  return std::exchange(received_, {});
}

std::string HttpClient::read_bytes(std::size_t count) { return exactly(count, Deadline(timeout_)); }

bool HttpClient::closed_by_peer(milliseconds limit) {
  try {
    return received_.empty() && !fill(Deadline(limit));
  } catch (const HttpError& error) {
    return error.kind == Kind::Closed;
  }
}

void HttpClient::shut_down_writing() { ::shutdown(socket_, SHUT_WR); }

void HttpClient::reset() {
  const linger at_once{1, 0};
  ::setsockopt(socket_, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
  close();
}

void HttpClient::close() {
  if (socket_ >= 0) ::close(socket_);
  socket_ = -1;
  received_.clear();
}

}  // namespace test_support
