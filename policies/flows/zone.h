// Time zones: a fixed offset, or a zone of the tz database as its compiled file (TZif, RFC 8536) says. The file's bytes
// are read by the caller. Pure; any thread.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace policies::flows {

using Seconds = std::chrono::seconds;  // since 1970-01-01T00:00:00, of UTC or of a wall clock in the zone

class Zone {
 public:
  static Zone fixed(Seconds offset);
  // "UTC", "Z", "+05:30", "-0800": needs no file. Nothing where it is a name to look up.
  static std::optional<Zone> without_file(std::string_view name);
  // The zone, or what is wrong with the bytes.
  static std::variant<Zone, std::string> parse(std::string_view tzif);

  Seconds offset_at(Seconds utc) const;  // of the wall clock against UTC
  // A time that the wall clock shows twice is the earlier one; one that it skips is as late as if it had not been put
  // forward (02:30 in the night of the change is 03:30).
  Seconds to_utc(Seconds wall) const;

 private:
  // When daylight saving begins or ends, as POSIX TZ writes it.
  struct Change {
    enum class Kind { Month, Julian, Day } kind = Kind::Month;  // "M3.5.0", "J60", "59"
    int month = 0, week = 0, day = 0;
    Seconds time{7200};
    Seconds in(int year) const;  // on the wall clock before the change
  };
  struct Rule {
    Seconds standard{0};
    std::optional<Seconds> summer;
    Change begin, end;
  };
  static std::optional<Rule> parse_rule(std::string_view text);
  Seconds by_rule(Seconds utc) const;

  struct Transition {
    Seconds at{0};
    Seconds offset{0};
  };
  Seconds before_{0};  // the first transition
  std::vector<Transition> transitions_;
  std::optional<Rule> rule_;  // after the last one
};

}  // namespace policies::flows
