#include "policies/cache_status.h"

#include <algorithm>
#include <array>
#include <charconv>

namespace policies {

namespace {

void append_number(std::string& out, std::int64_t number) {
  std::array<char, 24> digits;
  const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), number).ptr;
  out.append(digits.data(), end);
}

bool is_token_byte(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
         std::string_view("!#$%&'*+-.^_`|~:/").find(c) != std::string_view::npos;
}

// RFC 8941 section 3.3.4: a token begins with a letter or '*'.
bool is_token(std::string_view text) {
  const bool begins = (text[0] >= 'a' && text[0] <= 'z') || (text[0] >= 'A' && text[0] <= 'Z') || text[0] == '*';
  return begins && std::ranges::all_of(text, is_token_byte);
}

void append_detail(std::string& out, std::string_view detail) {
  if (is_token(detail)) {
    out.append(detail);
    return;
  }
  out.push_back('"');
  for (const char c : detail) {
    if (c < ' ' || c > '~') continue;  // RFC 8941 section 3.3.3 has no way to write them
    if (c == '"' || c == '\\') out.push_back('\\');
    out.push_back(c);
  }
  out.push_back('"');
}

}  // namespace

std::string_view to_string(Forward forward) {
  switch (forward) {
    case Forward::None:
      return "none";
    case Forward::Bypass:
      return "bypass";
    case Forward::Method:
      return "method";
    case Forward::UriMiss:
      return "uri-miss";
    case Forward::VaryMiss:
      return "vary-miss";
    case Forward::Miss:
      return "miss";
    case Forward::Request:
      return "request";
    case Forward::Stale:
      return "stale";
  }
  return "none";
}

void append_cache_status(std::string& out, const CacheStatus& status) {
  out.append("contacts-gateway");
  if (status.forward != Forward::None)
    out.append("; fwd=").append(to_string(status.forward));
  else if (status.hit)
    out.append("; hit");
  if (status.forward_status != 0) {
    out.append("; fwd-status=");
    append_number(out, status.forward_status);
  }
  if (status.ttl) {
    out.append("; ttl=");
    append_number(out, status.ttl->count());
  }
  if (status.stored) out.append("; stored");
  if (status.collapsed) out.append("; collapsed");
  if (status.detail.empty()) return;
  out.append("; detail=");
  append_detail(out, status.detail);
}

}  // namespace policies
