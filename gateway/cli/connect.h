// `check --connect`: tries what a deployment needs and tells it line by line. One harmless read for each credential.
#pragma once

#include <chrono>
#include <iosfwd>
#include <optional>
#include <string_view>

#include "gateway/config/settings.h"

namespace gateway::cli {

// Writes "ok" or "FAIL", what was tried and what came of it, a line each: name, connection and TLS, each token, the
// version header, what is left of the rate limit, the clock. True where nothing failed. Blocks for upstream.timeout a
// credential at most.
bool try_connections(const config::Settings& settings, std::ostream& out);

// Seconds that `date` (an RFC 9110 section 5.6.7 IMF-fixdate) is ahead of `now`; nothing where it is no such date.
std::optional<std::chrono::seconds> clock_difference(std::string_view date, std::chrono::system_clock::time_point now);

}  // namespace gateway::cli
