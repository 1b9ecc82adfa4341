// One log line as text: a JSON object (RFC 8259) whose strings are always valid, whatever bytes came in. Pure.
#pragma once

#include <chrono>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <variant>

namespace gateway::log {

enum class Level { Debug, Info, Warn, Error };
std::string_view to_string(Level level);
// "debug", "info", "warn", "error": what `log.level` takes; anything else is Info.
Level level_from(std::string_view name);

// One of the program's own words, of plain ASCII without quotes: written as it is.
struct Word {
  std::string_view text;
};

struct Item {
  std::string_view key;  // a Word's text
  std::variant<std::string_view, std::int64_t, double, bool, Word> value;
};

// Writes the line at `to`, without its end of line, and answers where it ended: line_bound() bytes at most. Control
// characters are escaped, bytes that are no UTF-8 become U+FFFD, values are cut at 2 KiB, numbers JSON cannot say
// become null.
char* write_line(char* to, std::chrono::system_clock::time_point time, Level level, std::string_view event,
                 std::span<const Item> items);
std::size_t line_bound(std::string_view event, std::span<const Item> items);
// The same at the end of `out`.
void append_line(std::string& out, std::chrono::system_clock::time_point time, Level level, std::string_view event,
                 std::span<const Item> items);

}  // namespace gateway::log
