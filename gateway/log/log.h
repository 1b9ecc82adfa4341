// JSON lines on standard error, one object a line: {"time":RFC 3339,"level":…,"event":…, …}. Never given query values,
// bodies or secrets. Any thread; lines are written by a background thread, dropped and counted when it falls behind.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <string_view>
#include <variant>

namespace gateway::log {

enum class Level { Debug, Info, Warn, Error };

struct Item {
  std::string_view key;
  std::variant<std::string_view, std::int64_t, double, bool> value;
};

void start(Level level);  // once, before any other thread
void stop();              // flushes
bool enabled(Level level);
void write(Level level, std::string_view event, std::initializer_list<Item> items = {});

inline void info(std::string_view event, std::initializer_list<Item> items = {}) { write(Level::Info, event, items); }
inline void warn(std::string_view event, std::initializer_list<Item> items = {}) { write(Level::Warn, event, items); }
inline void error(std::string_view event, std::initializer_list<Item> items = {}) { write(Level::Error, event, items); }
inline void debug(std::string_view event, std::initializer_list<Item> items = {}) {
  if (enabled(Level::Debug)) write(Level::Debug, event, items);
}

}  // namespace gateway::log
