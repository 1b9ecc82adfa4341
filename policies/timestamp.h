// Points in time as JSON bodies write them: RFC 3339, or a number of seconds or milliseconds. Pure; any thread.
#pragma once

#include <chrono>
#include <optional>
#include <string_view>

namespace policies {

using WallMillis = std::chrono::milliseconds;  // since 1970-01-01T00:00:00Z

// "2021-11-26T12:41:02.193Z", "2023-09-25T16:00:00+05:30", "1714032441" (up to 10 digits: seconds), "1714032441193"
// (11 to 14: milliseconds). Nothing where it is none of them.
std::optional<WallMillis> parse_timestamp(std::string_view text);

}  // namespace policies
