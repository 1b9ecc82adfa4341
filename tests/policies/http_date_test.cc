#include "policies/http_date.h"

#include <doctest/doctest.h>

using namespace policies;
using namespace std::chrono_literals;
using namespace std::chrono;

namespace {

constexpr seconds kNow = sys_days{2026y / 11 / 22}.time_since_epoch() + 23h;
constexpr seconds kDate = sys_days{1994y / 11 / 6}.time_since_epoch() + 8h + 49min + 37s;

}  // namespace

TEST_SUITE_BEGIN("http_date");

TEST_CASE("all three forms of a date are one instant") {
  CHECK(parse_http_date("Sun, 06 Nov 1994 08:49:37 GMT", kNow) == kDate);
  CHECK(parse_http_date("Sunday, 06-Nov-94 08:49:37 GMT", kNow) == kDate);
  CHECK(parse_http_date("Sun Nov  6 08:49:37 1994", kNow) == kDate);
}

TEST_CASE("a year of two digits is at most 50 years ahead") {
  const auto year_of = [](std::string_view text) {
    return year_month_day{floor<days>(sys_seconds{*parse_http_date(text, kNow)})}.year();
  };
  CHECK(year_of("Sunday, 06-Nov-76 08:49:37 GMT") == 2076y);
  CHECK(year_of("Sunday, 06-Nov-77 08:49:37 GMT") == 1977y);
}

TEST_CASE("what is no date gives none") {
  for (const std::string_view text :
       {"", "0", "-1", "now", "Sun, 06 Nov 1994", "Sun, 32 Nov 1994 08:49:37 GMT", "Sun, 30 Feb 1994 08:49:37 GMT",
        "Sun, 06 Nov 1994 24:49:37 GMT", "Sun, 06 Nov 1994 08:60:37 GMT", "Sun, 06 Nov 1994 08:49:37",
        "Sun, 06 Nov 1994 08:49:37 GMT ", "Sun, 6 Nov 1994 08:49:37 GMT", "Sun, 06 nov 1994 08:49:37 GMT", ", ", " ",
        "Sun Nov 6 08:49:37 1994", "Sun, 06 Nov -994 08:49:37 GMT", "Sun, 06 Nov +994 08:49:37 GMT"}) {
    CAPTURE(text);
    CHECK_FALSE(parse_http_date(text, kNow).has_value());
  }
}

TEST_SUITE_END();
