// Character rules of HTTP fields and targets (RFC 9110 section 5.6.2, RFC 3986).
#pragma once

#include <cstddef>
#include <string_view>

namespace gateway::server {

bool is_token(std::string_view text);             // RFC 9110 `token`, not empty
std::size_t token_length(std::string_view text);  // of the characters it begins with that a `token` may have
bool is_token_char(char c);
inline bool is_blank(char c) { return c == ' ' || c == '\t'; }
bool is_field_value(std::string_view text);  // no control characters but HTAB; bytes above 0x7f pass (obs-text)
std::size_t field_value_length(std::string_view text);  // of the characters it begins with that may be in one
bool is_target(std::string_view text);  // no controls, spaces or '#'; bytes above 0x7f pass, as clients send them raw
bool is_authority(std::string_view text);  // host[:port]; no userinfo

// Without SP and HTAB at both ends.
inline std::string_view trim(std::string_view text) {
  while (!text.empty() && is_blank(text.front())) text.remove_prefix(1);
  while (!text.empty() && is_blank(text.back())) text.remove_suffix(1);
  return text;
}

}  // namespace gateway::server
