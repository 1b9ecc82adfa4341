#include "policies/http_date.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <string>

namespace policies {

namespace {

constexpr std::array<std::string_view, 12> kMonths = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                                      "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
constexpr std::array<std::string_view, 7> kDays = {"Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"};
constexpr std::array<std::string_view, 7> kLongDays = {"Monday", "Tuesday",  "Wednesday", "Thursday",
                                                       "Friday", "Saturday", "Sunday"};

struct Parts {
  int day = 0, month = 0, year = 0, hour = 0, minute = 0, second = 0;
};

// Matches `text` against a pattern: D a long or short day name, d two digits (a space may stand for the first), M a
// month, Y four digits, y two digits, h m s two digits each, Z the zone; everything else is itself.
class Reader {
 public:
  explicit Reader(std::string_view text) : text_(text) {}

  bool match(std::string_view pattern, Parts& parts) {
    return std::all_of(pattern.begin(), pattern.end(), [&](char c) { return item(c, parts); }) && text_.empty();
  }

 private:
  bool item(char c, Parts& parts) {
    switch (c) {
      case 'D':
        return name(kLongDays) >= 0 || name(kDays) >= 0;
      case 'M':
        return (parts.month = name(kMonths) + 1) > 0;
      case 'd':
        if (!text_.empty() && text_.front() == ' ') return literal(' ') && number(1, parts.day);
        return number(2, parts.day);
      case 'Y':
        return number(4, parts.year);
      case 'y':
        return number(2, parts.year);
      case 'h':
        return number(2, parts.hour);
      case 'm':
        return number(2, parts.minute);
      case 's':
        return number(2, parts.second);
      case 'Z':
        return literal('G') && literal('M') && literal('T');
      default:
        return literal(c);
    }
  }

  template <std::size_t N>
  int name(const std::array<std::string_view, N>& names) {
    const auto found = std::find_if(names.begin(), names.end(), [&](auto each) { return text_.starts_with(each); });
    if (found == names.end()) return -1;
    text_.remove_prefix(found->size());
    return static_cast<int>(found - names.begin());
  }

  bool number(std::size_t digits, int& value) {
    if (text_.size() < digits) return false;
    const auto* end = text_.data() + digits;
    if (text_.front() == '-' || std::from_chars(text_.data(), end, value).ptr != end) return false;
    text_.remove_prefix(digits);
    return true;
  }

  bool literal(char c) {
    if (text_.empty() || text_.front() != c) return false;
    text_.remove_prefix(1);
    return true;
  }

  std::string_view text_;
};

}  // namespace

std::optional<std::chrono::seconds> parse_http_date(std::string_view text, std::chrono::seconds now) {
  using namespace std::chrono;
  Parts parts;
  const bool two_digits = Reader(text).match("D, d-M-y h:m:s Z", parts);
  if (!two_digits && !Reader(text).match("D, d M Y h:m:s Z", parts) && !Reader(text).match("D M d h:m:s Y", parts))
    return {};
  if (two_digits) {
    // More than 50 years ahead is the most recent past year with the same digits.
    const int this_year = static_cast<int>(year_month_day(sys_days(floor<days>(sys_seconds(now)))).year());
    parts.year += this_year / 100 * 100;
    if (parts.year > this_year + 50) parts.year -= 100;
  }
  const year_month_day date{year(parts.year), month(static_cast<unsigned>(parts.month)),
                            day(static_cast<unsigned>(parts.day))};
  if (!date.ok() || parts.hour > 23 || parts.minute > 59 || parts.second > 60) return {};
  return sys_days(date).time_since_epoch() + hours(parts.hour) + minutes(parts.minute) + seconds(parts.second);
}

}  // namespace policies
