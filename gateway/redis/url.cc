// Messages never quote the text: a misplaced '/' or '@' turns a password into what looks like a host.
#include <asio/ip/address_v6.hpp>
#include <charconv>
#include <stdexcept>

#include "gateway/redis/client.h"
#include "policies/percent.h"

namespace gateway::redis {
namespace {

constexpr std::uint16_t sentinel_port = 26379;
constexpr int max_database = 1'000'000;

[[noreturn]] void refuse(const char* what) {
  throw std::invalid_argument(std::string(what) +
                              "; expected redis://[user:password@]host[:port][/db] or "
                              "redis+sentinel://[user:password@]host[:port],host[:port]/name[/db]");
}

// RFC 3986 section 2.1.
std::string percent_decoded(std::string_view text) {
  if (!policies::well_encoded(text))
    refuse("a '%' in the Redis URL is not followed by two hexadecimal digits (write %25)");
  std::string out;
  policies::append_decoded(out, text);
  return out;
}

std::optional<int> number(std::string_view text, int max) {
  int value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (text.empty() || text[0] == '-' || error != std::errc() || end != text.data() + text.size() || value > max)
    return {};
  return value;
}

void check_name(std::string_view host) {
  if (host.empty()) refuse("the Redis URL names no host");
  for (const char c : host) {
    const bool allowed =
        (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' || c == '-' || c == '_';
    if (!allowed) refuse("the host in the Redis URL has a character that no host has (percent-encode the password)");
  }
}

Endpoint parse_endpoint(std::string_view text, std::uint16_t default_port) {
  Endpoint endpoint{{}, default_port};
  std::string_view port;
  bool has_port = false;
  if (text.starts_with('[')) {
    const auto end = text.find(']');
    if (end == text.npos) refuse("an IPv6 address in the Redis URL has no closing ']'");
    endpoint.host = text.substr(1, end - 1);
    asio::error_code error;
    asio::ip::make_address_v6(endpoint.host, error);
    if (error) refuse("what stands between '[' and ']' in the Redis URL is no IPv6 address");
    port = text.substr(end + 1);
    if (!port.empty() && port[0] != ':') refuse("after ']' in the Redis URL only ':port' may follow");
    has_port = !port.empty();
    if (has_port) port.remove_prefix(1);
  } else {
    const auto colon = text.find(':');
    has_port = colon != text.npos;
    endpoint.host = text.substr(0, colon);
    if (has_port) port = text.substr(colon + 1);
    check_name(endpoint.host);
  }
  if (!has_port) return endpoint;
  const auto value = number(port, 65535);
  if (!value || *value == 0) refuse("the port in the Redis URL is no number from 1 to 65535");
  endpoint.port = static_cast<std::uint16_t>(*value);
  return endpoint;
}

void parse_userinfo(std::string_view text, Url& url) {
  const auto colon = text.find(':');
  if (colon == text.npos)
    refuse("the Redis URL has a user without a password (a password alone is written :password@)");
  url.user = percent_decoded(text.substr(0, colon));
  url.password = percent_decoded(text.substr(colon + 1));
  if (url.password.empty()) refuse("the password in the Redis URL is empty");
}

void parse_authority(std::string_view text, std::uint16_t default_port, bool several, Url& url) {
  if (const auto at = text.rfind('@'); at != text.npos) {
    parse_userinfo(text.substr(0, at), url);
    text.remove_prefix(at + 1);
  }
  for (;;) {
    const auto comma = text.find(',');
    url.endpoints.push_back(parse_endpoint(text.substr(0, comma), default_port));
    if (comma == text.npos) return;
    if (!several) refuse("redis:// takes one host (several sentinels are redis+sentinel://)");
    text.remove_prefix(comma + 1);
  }
}

int parse_database(std::string_view text) {
  if (text.empty()) return 0;
  const auto value = number(text, max_database);
  if (!value) refuse("the database in the Redis URL is no number");
  return *value;
}

}  // namespace

Url parse_url(std::string_view text) {
  const auto scheme_end = text.find("://");
  const std::string_view scheme = text.substr(0, scheme_end == text.npos ? 0 : scheme_end);
  if (scheme == "rediss")
    refuse("rediss:// (TLS) is not spoken here: put a TLS-terminating helper such as stunnel in between");
  if (scheme != "redis" && scheme != "redis+sentinel")
    refuse("the Redis URL starts with neither redis:// nor redis+sentinel://");
  const bool sentinel = scheme == "redis+sentinel";
  text.remove_prefix(scheme_end + 3);
  if (text.find_first_of("?#") != text.npos) refuse("the Redis URL has a '?' or '#' part (in a password: %3F, %23)");
  const auto slash = text.find('/');
  std::string_view path = slash == text.npos ? std::string_view{} : text.substr(slash + 1);
  Url url;
  parse_authority(text.substr(0, slash), sentinel ? sentinel_port : 6379, sentinel, url);
  if (sentinel) {
    const auto end = path.find('/');
    url.master = percent_decoded(path.substr(0, end));
    if (url.master.empty()) refuse("redis+sentinel:// names no master");
    path = end == path.npos ? std::string_view{} : path.substr(end + 1);
  }
  url.database = parse_database(path);
  return url;
}

}  // namespace gateway::redis
