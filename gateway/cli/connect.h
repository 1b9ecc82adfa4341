// `check --connect`: tries what a deployment needs and tells it line by line. One harmless read for each credential.
#pragma once

#include <chrono>
#include <iosfwd>
#include <optional>
#include <string_view>

#include "gateway/cli/exit_code.h"
#include "gateway/config/settings.h"

namespace gateway::cli {

// Writes "ok", "FAIL" or, of what is not set up, "--", what was tried and what came of it, a line each: name, TLS, each
// token with its scopes and end, the version header, what is left of the rate limit, the clock, Redis, webhook keys. No
// refresh token is spent. kDone where nothing failed, else kFailed, kCredential or kRedis. Blocks for upstream.timeout
// a credential at most.
ExitCode try_connections(const config::Settings& settings, std::ostream& out);

// Seconds that `date` (an RFC 9110 section 5.6.7 IMF-fixdate) is ahead of `now`; nothing where it is no such date.
std::optional<std::chrono::seconds> clock_difference(std::string_view date, std::chrono::system_clock::time_point now);

}  // namespace gateway::cli
