#include "gateway/config/address.h"

#include <arpa/inet.h>
#include <sys/un.h>

#include <charconv>
#include <optional>
#include <string>

namespace gateway::config {

namespace {

struct Parts {
  std::string host;
  bool v6 = false;
};

bool valid_port(std::string_view text) {
  unsigned port = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), port);
  return error == std::errc{} && end == text.data() + text.size() && port <= 65'535;
}

std::optional<Parts> parse_ip(std::string_view address) {
  Parts parts;
  std::size_t colon = address.rfind(':');
  if (colon == std::string_view::npos || !valid_port(address.substr(colon + 1))) return std::nullopt;
  std::string_view host = address.substr(0, colon);
  if (host.starts_with('[') && host.ends_with(']')) {
    host = host.substr(1, host.size() - 2);
    parts.v6 = true;
  }
  parts.host = host;
  in6_addr binary{};
  if (inet_pton(parts.v6 ? AF_INET6 : AF_INET, parts.host.c_str(), &binary) != 1) return std::nullopt;
  return parts;
}

}  // namespace

bool valid_address(std::string_view address) {
  if (address.starts_with("unix:")) return address.size() > 5 && address.size() - 5 < sizeof(sockaddr_un{}.sun_path);
  return parse_ip(address).has_value();
}

bool reachable_by_others(std::string_view address) {
  if (address.starts_with("unix:")) return false;
  const auto parts = parse_ip(address);
  if (!parts) return true;
  if (!parts->v6) return !parts->host.starts_with("127.");
  in6_addr binary{};
  inet_pton(AF_INET6, parts->host.c_str(), &binary);
  const bool mapped_loopback = IN6_IS_ADDR_V4MAPPED(&binary) && binary.s6_addr[12] == 127;
  return !IN6_IS_ADDR_LOOPBACK(&binary) && !mapped_loopback;
}

}  // namespace gateway::config
