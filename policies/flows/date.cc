#include "policies/flows/date.h"

#include <algorithm>
#include <array>
#include <charconv>

namespace policies::flows {

namespace {

using std::chrono::milliseconds;

// Longer ones first, so that "MMM" is not "MM" and "M".
constexpr std::string_view kTokens[] = {"YYYY", "MMM", "MM", "DD", "HH", "hh", "mm", "ss", "M", "D", "H", "h", "A"};
constexpr std::string_view kMonths[] = {"jan", "feb", "mar", "apr", "may", "jun",
                                        "jul", "aug", "sep", "oct", "nov", "dec"};

std::string_view token_at(std::string_view format) {
  for (const auto token : kTokens)
    if (format.starts_with(token)) return token;
  return {};
}

char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

bool starts_with_word(std::string_view text, std::string_view word) {
  return text.size() >= word.size() &&
         std::equal(word.begin(), word.end(), text.begin(), [](char a, char b) { return a == lower(b); });
}

struct Clock {
  int year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0;
  bool twelve = false, afternoon = false;
};

std::optional<Seconds> wall_of(Clock clock) {
  if (clock.twelve) {
    if (clock.hour < 1 || clock.hour > 12) return std::nullopt;
    clock.hour = clock.hour % 12 + (clock.afternoon ? 12 : 0);
  }
  const std::chrono::year_month_day date{std::chrono::year(clock.year),
                                         std::chrono::month(static_cast<unsigned>(clock.month)),
                                         std::chrono::day(static_cast<unsigned>(clock.day))};
  if (!date.ok() || clock.hour > 23 || clock.minute > 59 || clock.second > 60) return std::nullopt;
  return Seconds(std::chrono::sys_days(date).time_since_epoch()) + std::chrono::hours(clock.hour) +
         std::chrono::minutes(clock.minute) + Seconds(clock.second);
}

// Digits at the front: at least `least`, at most `most`.
std::optional<int> digits(std::string_view& text, std::size_t least, std::size_t most) {
  std::size_t length = 0;
  while (length < most && length < text.size() && text[length] >= '0' && text[length] <= '9') ++length;
  if (length < least) return std::nullopt;
  int number = 0;
  std::from_chars(text.data(), text.data() + length, number);
  text.remove_prefix(length);
  return number;
}

bool read_month(std::string_view& text, Clock& clock) {
  for (std::size_t i = 0; i < std::size(kMonths); ++i) {
    if (!starts_with_word(text, kMonths[i])) continue;
    clock.month = static_cast<int>(i) + 1;
    text.remove_prefix(kMonths[i].size());
    while (!text.empty() && lower(text.front()) >= 'a' && lower(text.front()) <= 'z')
      text.remove_prefix(1);  // the rest of its name
    return true;
  }
  return false;
}

bool read_token(std::string_view token, std::string_view& text, Clock& clock) {
  if (token == "MMM") return read_month(text, clock);
  if (token == "A") {
    clock.twelve = true;
    clock.afternoon = starts_with_word(text, "pm");
    if (!clock.afternoon && !starts_with_word(text, "am")) return false;
    return text.remove_prefix(2), true;
  }
  const bool short_form = token.size() == 1;
  const auto number = digits(text, short_form ? 1 : token.size(), short_form ? 2 : token.size());
  if (!number) return false;
  int& into = token[0] == 'Y'   ? clock.year
              : token[0] == 'M' ? clock.month
              : token[0] == 'D' ? clock.day
              : token[0] == 'm' ? clock.minute
              : token[0] == 's' ? clock.second
                                : clock.hour;
  into = *number;
  return true;
}

std::optional<Seconds> parse_pattern(std::string_view text, std::string_view format) {
  Clock clock;
  while (!format.empty()) {
    const auto token = token_at(format);
    if (token.empty()) {
      if (text.empty() || text.front() != format.front()) return std::nullopt;
      text.remove_prefix(1);
      format.remove_prefix(1);
    } else if (!read_token(token, text, clock)) {
      return std::nullopt;
    } else {
      format.remove_prefix(token.size());
    }
  }
  return text.empty() ? wall_of(clock) : std::nullopt;
}

std::optional<WallMillis> parse_iso(std::string_view text, const Zone& zone) {
  std::string with_t(text);
  if (with_t.size() > 10 && with_t[10] == ' ') with_t[10] = 'T';
  if (const auto moment = parse_timestamp(with_t)) return moment;
  for (const auto format : {"YYYY-MM-DD", "YYYY-MM-DDTHH:mm", "YYYY-MM-DDTHH:mm:ss"})
    if (const auto wall = parse_pattern(with_t, format)) return zone.to_utc(*wall);
  if (const auto dot = with_t.rfind('.'); dot == 19) {  // a fraction and no offset
    const std::string_view fraction = std::string_view(with_t).substr(dot + 1);
    const bool all_digits = !fraction.empty() && fraction.find_first_not_of("0123456789") == std::string_view::npos;
    const auto wall =
        all_digits ? parse_pattern(std::string_view(with_t).substr(0, dot), "YYYY-MM-DDTHH:mm:ss") : std::nullopt;
    if (!wall) return std::nullopt;
    std::string thousandths(fraction.substr(0, 3));
    thousandths.resize(3, '0');
    int number = 0;
    std::from_chars(thousandths.data(), thousandths.data() + 3, number);
    return milliseconds(zone.to_utc(*wall)) + milliseconds(number);
  }
  return std::nullopt;
}

void append(std::string& out, int number, std::size_t width) {
  std::string text = std::to_string(number);
  if (text.size() < width) text.insert(0, width - text.size(), '0');
  out += text;
}

void append_date(std::string& out, std::chrono::sys_days day) {
  const std::chrono::year_month_day date(day);
  append(out, static_cast<int>(date.year()), 4);
  append(out += '-', static_cast<int>(static_cast<unsigned>(date.month())), 2);
  append(out += '-', static_cast<int>(static_cast<unsigned>(date.day())), 2);
}

}  // namespace

std::optional<std::string> date_format_problem(std::string_view format) {
  if (format == "iso") return std::nullopt;
  std::string seen;
  for (auto rest = format; !rest.empty();) {
    const auto token = token_at(rest);
    const char c = rest.front();
    if (token.empty() && ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z')) && c != 'T')
      return std::string("'") + c + "' means nothing in a date's format";
    if (!token.empty()) seen += token[0];
    rest.remove_prefix(token.empty() ? 1 : token.size());
  }
  for (const char needed : {'Y', 'M', 'D'})
    if (seen.find(needed) == std::string::npos)
      return "expected \"iso\" or a pattern with year, month and day: DD/MM/YYYY";
  return std::nullopt;
}

std::optional<WallMillis> parse_date(std::string_view text, std::string_view format, const Zone& zone) {
  if (format == "iso") return parse_iso(text, zone);
  const auto wall = parse_pattern(text, format);
  if (!wall) return std::nullopt;
  return zone.to_utc(*wall);
}

std::string iso_date_time(WallMillis moment) {
  const auto days = std::chrono::floor<std::chrono::days>(moment);
  const auto rest = std::chrono::hh_mm_ss(moment - days);
  std::string out;
  append_date(out, std::chrono::sys_days(days));
  append(out += 'T', static_cast<int>(rest.hours().count()), 2);
  append(out += ':', static_cast<int>(rest.minutes().count()), 2);
  append(out += ':', static_cast<int>(rest.seconds().count()), 2);
  append(out += '.', static_cast<int>(rest.subseconds().count()), 3);
  return out += 'Z';
}

std::string iso_date(WallMillis moment, const Zone& zone) {
  const auto utc = std::chrono::floor<Seconds>(moment);
  std::string out;
  append_date(out, std::chrono::sys_days(std::chrono::floor<std::chrono::days>(utc + zone.offset_at(utc))));
  return out;
}

std::optional<milliseconds> parse_span(std::string_view text) {
  const bool past = text.starts_with('-');
  if (past) text.remove_prefix(1);
  std::int64_t count = 0;
  const auto [rest, problem] = std::from_chars(text.data(), text.data() + text.size(), count);
  const std::string_view unit(rest, static_cast<std::size_t>(text.data() + text.size() - rest));
  if (problem != std::errc() || count < 0 || count > 100'000) return std::nullopt;
  milliseconds one{0};
  if (unit == "ms") one = milliseconds(1);
  if (unit == "s") one = Seconds(1);
  if (unit == "m") one = std::chrono::minutes(1);
  if (unit == "h") one = std::chrono::hours(1);
  if (unit == "d") one = std::chrono::days(1);
  if (unit == "w") one = std::chrono::weeks(1);
  if (one == milliseconds(0)) return std::nullopt;
  return past ? -count * one : count * one;
}

}  // namespace policies::flows
