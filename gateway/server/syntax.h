// Character rules of HTTP fields and targets (RFC 9110 section 5.6.2, RFC 3986).
#pragma once

#include <string_view>

namespace gateway::server {

bool is_token(std::string_view text);  // RFC 9110 `token`, not empty
bool is_token_char(char c);
bool is_blank(char c);                       // SP or HTAB
bool is_field_value(std::string_view text);  // no control characters but HTAB; bytes above 0x7f pass (obs-text)
bool is_target(std::string_view text);  // no controls, spaces or '#'; bytes above 0x7f pass, as clients send them raw
bool is_authority(std::string_view text);      // host[:port]; no userinfo
std::string_view trim(std::string_view text);  // without SP and HTAB at both ends

}  // namespace gateway::server
