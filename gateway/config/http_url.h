// The http and https URLs that settings may name (RFC 9110 section 4.2): scheme, host, optional port and path. Pure.
#pragma once

#include <string_view>

namespace gateway::config {

// No user information (it would land in logs), query or fragment.
bool valid_http_url(std::string_view url);

}  // namespace gateway::config
