#include "gateway/cli/redirect.h"

#include <arpa/inet.h>
#include <openssl/crypto.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <cstring>
#include <stdexcept>

#include "policies/percent.h"

namespace gateway::cli {

namespace {

using Clock = std::chrono::steady_clock;

// The value of one name in a query, decoded; nothing where it is missing.
std::optional<std::string> parameter(std::string_view query, std::string_view name) {
  while (!query.empty()) {
    const auto part = query.substr(0, query.find('&'));
    query.remove_prefix(std::min(query.size(), part.size() + 1));
    if (part.substr(0, part.find('=')) != name) continue;
    const auto equals = part.find('=');
    std::string value;
    if (equals != std::string_view::npos) policies::append_decoded(value, part.substr(equals + 1), true);
    return value;
  }
  return std::nullopt;
}

bool equal(std::string_view a, std::string_view b) {
  return a.size() == b.size() && CRYPTO_memcmp(a.data(), b.data(), a.size()) == 0;
}

// Readable before `deadline`.
bool readable(int fd, Clock::time_point deadline) {
  pollfd one{fd, POLLIN, 0};
  for (;;) {
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - Clock::now());
    if (left.count() <= 0) return false;
    const int found = ::poll(&one, 1, static_cast<int>(left.count()));
    if (found > 0) return true;
    if (found < 0 && errno != EINTR) return false;
  }
}

// The target of a request line; empty where none came. One client at a time, so each has a second.
std::string target_from(int client) {
  constexpr std::size_t kLongest = 8'192;
  constexpr std::chrono::seconds kPatience{1};
  const auto deadline = Clock::now() + kPatience;
  std::string head;
  while (head.find("\r\n") == std::string::npos && head.size() < kLongest && readable(client, deadline)) {
    char block[1024];
    const auto count = ::recv(client, block, sizeof block, 0);
    if (count <= 0) break;
    head.append(block, static_cast<std::size_t>(count));
  }
  constexpr std::string_view kGet = "GET ";
  const auto end = head.find(' ', kGet.size());
  std::string target =
      head.starts_with(kGet) && end != std::string::npos ? head.substr(kGet.size(), end - kGet.size()) : std::string();
  OPENSSL_cleanse(head.data(), head.size());
  return target;
}

void answer(int client, std::string_view status, std::string_view text) {
  const std::string page = "<!doctype html><title>Contacts Gateway</title><p>" + std::string(text) + "\n";
  const std::string whole = "HTTP/1.1 " + std::string(status) +
                            "\r\nContent-Type: text/html; charset=utf-8\r\nCache-Control: no-store\r\n"
                            "Referrer-Policy: no-referrer\r\nConnection: close\r\nContent-Length: " +
                            std::to_string(page.size()) + "\r\n\r\n" + page;
  ::send(client, whole.data(), whole.size(), MSG_NOSIGNAL);
}

}  // namespace

std::optional<LoopbackUri> loopback_uri(std::string_view uri) {
  constexpr std::string_view kScheme = "http://";
  if (!uri.starts_with(kScheme)) return std::nullopt;
  uri.remove_prefix(kScheme.size());
  const auto slash = std::min(uri.find('/'), uri.size());
  const auto authority = uri.substr(0, slash);
  LoopbackUri found{"127.0.0.1", 80, slash == uri.size() ? "/" : std::string(uri.substr(slash))};
  const auto colon =
      authority.find(']') == std::string_view::npos ? authority.find(':') : authority.find(':', authority.find(']'));
  const auto host = authority.substr(0, colon);
  if (host == "[::1]")
    found.host = "::1";
  else if (host != "127.0.0.1" && host != "localhost")
    return std::nullopt;
  if (colon != std::string_view::npos) {
    const auto port = authority.substr(colon + 1);
    if (std::from_chars(port.data(), port.data() + port.size(), found.port).ec != std::errc()) return std::nullopt;
  }
  return found;
}

std::variant<config::Secret, BadRedirect> code_in(std::string_view target, std::string_view state, bool must) {
  const auto mark = target.find('?');
  if (mark == std::string_view::npos) {
    if (must || target.empty()) return BadRedirect{"it carries no code"};
    return config::Secret{std::string(target), {}};
  }
  const auto query = target.substr(mark + 1);
  const auto given = parameter(query, "state");
  if (given ? !equal(*given, state) : must)
    return BadRedirect{"its state is not the one of this authorization: it is another one's, or forged"};
  if (const auto error = parameter(query, "error")) return BadRedirect{"the install page says that it was refused"};
  auto code = parameter(query, "code");
  if (!code || code->empty()) return BadRedirect{"it carries no code"};
  return config::Secret{std::move(*code), {}};
}

RedirectListener::RedirectListener(const LoopbackUri& uri) : path_(uri.path) {
  const bool six = uri.host == "::1";
  sockaddr_in6 address6{};
  sockaddr_in address4{};
  address6.sin6_family = AF_INET6;
  address6.sin6_port = htons(uri.port);
  address6.sin6_addr = in6addr_loopback;
  address4.sin_family = AF_INET;
  address4.sin_port = htons(uri.port);
  address4.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socket_ = ::socket(six ? AF_INET6 : AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const int on = 1;
  ::setsockopt(socket_, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  const auto* address =
      six ? reinterpret_cast<const sockaddr*>(&address6) : reinterpret_cast<const sockaddr*>(&address4);
  if (socket_ < 0 || ::bind(socket_, address, six ? sizeof address6 : sizeof address4) != 0 ||
      ::listen(socket_, 16) != 0) {
    const std::string why = std::strerror(errno);
    if (socket_ >= 0) ::close(socket_);
    throw std::runtime_error("cannot listen on " + uri.host + ":" + std::to_string(uri.port) +
                             " for the browser: " + why + "; end what listens there, or use --paste");
  }
}

RedirectListener::~RedirectListener() { ::close(socket_); }

std::variant<config::Secret, BadRedirect> RedirectListener::wait(std::string_view state, std::chrono::seconds limit) {
  const auto deadline = Clock::now() + limit;
  while (readable(socket_, deadline)) {
    const int client = ::accept4(socket_, nullptr, nullptr, SOCK_CLOEXEC);
    if (client < 0) continue;
    std::string target = target_from(client);
    const bool ours = target.substr(0, target.find('?')) == path_ && target.find('?') != std::string::npos;
    if (!ours) {
      answer(client, "404 Not Found", "Nothing is here.");
      ::close(client);
      continue;
    }
    auto result = code_in(target, state, true);
    OPENSSL_cleanse(target.data(), target.size());
    const auto* bad = std::get_if<BadRedirect>(&result);
    answer(client, bad ? "400 Bad Request" : "200 OK",
           bad ? "This redirect was not taken: " + bad->why + "."
               : "Received. You can close this page; the terminal goes on.");
    ::close(client);
    // Another page on this machine may send a forged redirect; the true one is still waited for.
    if (bad != nullptr && bad->why.find("state") != std::string::npos) continue;
    return result;
  }
  throw std::runtime_error("no browser came back within " + std::to_string(limit.count()) + " s");
}

}  // namespace gateway::cli
