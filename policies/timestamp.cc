#include "policies/timestamp.h"

#include <algorithm>
#include <charconv>

namespace policies {

namespace {

using namespace std::chrono;

// Takes exactly `digits` digits off the front.
std::optional<int> take_number(std::string_view& text, std::size_t digits) {
  int value = 0;
  if (text.size() < digits) return std::nullopt;
  for (const char c : text.substr(0, digits)) {
    if (c < '0' || c > '9') return std::nullopt;
    value = value * 10 + (c - '0');
  }
  text.remove_prefix(digits);
  return value;
}

bool take(std::string_view& text, char c) {
  if (text.empty() || text.front() != c) return false;
  text.remove_prefix(1);
  return true;
}

bool digits_only(std::string_view text) {
  return !text.empty() && std::ranges::all_of(text, [](char c) { return c >= '0' && c <= '9'; });
}

std::optional<WallMillis> parse_count(std::string_view text) {
  std::int64_t count = 0;
  if (text.size() > 14) return std::nullopt;
  std::from_chars(text.data(), text.data() + text.size(), count);
  return text.size() <= 10 ? WallMillis(seconds(count)) : WallMillis(count);
}

std::optional<sys_days> take_date(std::string_view& text) {
  const auto y = take_number(text, 4);
  if (!y || !take(text, '-')) return std::nullopt;
  const auto m = take_number(text, 2);
  if (!m || !take(text, '-')) return std::nullopt;
  const auto d = take_number(text, 2);
  if (!d) return std::nullopt;
  const year_month_day date{year{*y}, month{static_cast<unsigned>(*m)}, day{static_cast<unsigned>(*d)}};
  if (!date.ok()) return std::nullopt;
  return sys_days(date);
}

// A fraction of any length; what is below a millisecond is cut off.
milliseconds take_fraction(std::string_view& text) {
  int value = 0, digits = 0;
  while (!text.empty() && text.front() >= '0' && text.front() <= '9') {
    if (digits < 3) value = value * 10 + (text.front() - '0'), ++digits;
    text.remove_prefix(1);
  }
  for (; digits < 3; ++digits) value *= 10;
  return milliseconds(value);
}

std::optional<milliseconds> take_time(std::string_view& text) {
  const auto h = take_number(text, 2);
  if (!h || !take(text, ':')) return std::nullopt;
  const auto m = take_number(text, 2);
  if (!m || !take(text, ':')) return std::nullopt;
  const auto s = take_number(text, 2);
  if (!s || *h > 23 || *m > 59 || *s > 60) return std::nullopt;
  milliseconds time = hours(*h) + minutes(*m) + seconds(*s);
  if (!take(text, '.')) return time;
  if (text.empty() || text.front() < '0' || text.front() > '9') return std::nullopt;
  return time + take_fraction(text);
}

std::optional<minutes> take_offset(std::string_view& text) {
  if (take(text, 'Z')) return minutes(0);
  const bool west = take(text, '-');
  if (!west && !take(text, '+')) return std::nullopt;
  const auto h = take_number(text, 2);
  if (!h || !take(text, ':')) return std::nullopt;
  const auto m = take_number(text, 2);
  if (!m || *h > 23 || *m > 59) return std::nullopt;
  const minutes offset = hours(*h) + minutes(*m);
  return west ? -offset : offset;
}

}  // namespace

std::optional<WallMillis> parse_timestamp(std::string_view text) {
  if (digits_only(text)) return parse_count(text);
  const auto date = take_date(text);
  if (!date || (!take(text, 'T') && !take(text, ' '))) return std::nullopt;
  const auto time = take_time(text);
  if (!time) return std::nullopt;
  const auto offset = take_offset(text);
  if (!offset || !text.empty()) return std::nullopt;
  return WallMillis(date->time_since_epoch()) + *time - *offset;
}

}  // namespace policies
