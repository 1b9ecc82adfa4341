// JSON lines on standard error, one object a line: {"time":RFC 3339,"level":…,"event":…, …}. Never given query values,
// bodies or secrets. Any thread; lines are gathered for each thread and written together by a background thread, within
// 20 ms (at once from Warn on), so that a line costs its own bytes and no call into the kernel. Lines of one thread are
// in order; those of several lie as they were gathered, their times say which came first. When the writing falls
// behind, the oldest waiting lines are dropped and counted. Before start() and after stop() nothing is written.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <span>
#include <string_view>

#include "gateway/log/line.h"

namespace gateway::log {

void start(Level level);      // once, before any other thread
void stop();                  // once, after every other thread; writes what waits
void set_level(Level level);  // between them, any thread
bool enabled(Level level);
void write(Level level, std::string_view event, std::span<const Item> items);
inline void write(Level level, std::string_view event, std::initializer_list<Item> items = {}) {
  write(level, event, std::span(items.begin(), items.size()));
}
std::uint64_t dropped();  // lines since start()

inline void info(std::string_view event, std::initializer_list<Item> items = {}) { write(Level::Info, event, items); }
inline void warn(std::string_view event, std::initializer_list<Item> items = {}) { write(Level::Warn, event, items); }
inline void error(std::string_view event, std::initializer_list<Item> items = {}) { write(Level::Error, event, items); }
inline void debug(std::string_view event, std::initializer_list<Item> items = {}) {
  if (enabled(Level::Debug)) write(Level::Debug, event, items);
}

}  // namespace gateway::log
