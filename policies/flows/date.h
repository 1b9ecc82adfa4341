// Dates as people and programs write them, to what the upstream's API takes. Pure; any thread.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

#include "policies/flows/zone.h"
#include "policies/timestamp.h"

namespace policies::flows {

// A format is "iso" (RFC 3339, with or without time and offset; a number is seconds or milliseconds since 1970) or a
// pattern of YYYY, MM, DD, M, D, MMM (Jan), HH, H, hh, h, mm, ss, A (AM or PM); other characters stand for themselves.
// What is wrong with it, or nothing.
std::optional<std::string> date_format_problem(std::string_view format);

// Nothing where `text` is no date of that format. Without an offset of its own it is a wall clock's in `zone`; without
// a time it is midnight there.
std::optional<WallMillis> parse_date(std::string_view text, std::string_view format, const Zone& zone);

std::string iso_date_time(WallMillis moment);               // "2026-11-25T14:30:00.000Z"
std::string iso_date(WallMillis moment, const Zone& zone);  // "2026-11-25", as the calendar in `zone` says

// "90s", "15m", "2h", "3d", "1w"; a minus in front for the past.
std::optional<std::chrono::milliseconds> parse_span(std::string_view text);

}  // namespace policies::flows
