// HTTP dates (RFC 9110 section 5.6.7): IMF-fixdate and the two obsolete forms a recipient must also accept.
#pragma once

#include <chrono>
#include <optional>
#include <string_view>

namespace policies {

// Seconds since 1970 UTC. `now` (the same scale) places RFC 850's two-digit year; nothing on anything else than a date.
std::optional<std::chrono::seconds> parse_http_date(std::string_view text, std::chrono::seconds now);

}  // namespace policies
