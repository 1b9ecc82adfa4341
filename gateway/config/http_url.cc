#include "gateway/config/http_url.h"

#include <arpa/inet.h>

#include <algorithm>
#include <charconv>
#include <string>

namespace gateway::config {

namespace {

bool alphanumeric(char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }

bool valid_host(std::string_view host) {
  if (host.starts_with('[')) {
    in6_addr binary{};
    return host.ends_with(']') &&
           inet_pton(AF_INET6, std::string(host.substr(1, host.size() - 2)).c_str(), &binary) == 1;
  }
  return !host.empty() && host.size() <= 253 && std::all_of(host.begin(), host.end(), [](char c) {
    return alphanumeric(c) || c == '.' || c == '-' || c == '_';
  });
}

bool valid_port(std::string_view text) {
  unsigned port = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), port);
  return error == std::errc{} && end == text.data() + text.size() && port >= 1 && port <= 65'535;
}

}  // namespace

bool valid_http_url(std::string_view url) {
  if (url.starts_with("https://"))
    url.remove_prefix(8);
  else if (url.starts_with("http://"))
    url.remove_prefix(7);
  else
    return false;
  const std::size_t slash = std::min(url.find('/'), url.size());
  const std::string_view path = url.substr(slash);
  std::string_view host = url.substr(0, slash);
  const std::size_t colon = host.rfind(':');
  if (colon != std::string_view::npos && (host.empty() || host.back() != ']')) {
    if (!valid_port(host.substr(colon + 1))) return false;
    host = host.substr(0, colon);
  }
  const bool clean = std::all_of(path.begin(), path.end(),
                                 [](char c) { return c > ' ' && c < 0x7f && c != '?' && c != '#' && c != '\\'; });
  return valid_host(host) && clean;
}

}  // namespace gateway::config
