// How a coroutine ends that nobody awaits: what it threw is logged, and not swallowed. Any thread.
#pragma once

#include <exception>

namespace gateway::log {

// An error line `event` with what the exception says; nothing where there is none.
void failure(const char* event, const std::exception_ptr& thrown);

// The same as the completion handler of a co_spawn.
inline auto logged(const char* event) {
  return [event](const std::exception_ptr& thrown) { failure(event, thrown); };
}

// For a coroutine that may be cancelled: that it was is no failure.
bool cancelled(const std::exception_ptr& thrown);
inline auto logged_unless_cancelled(const char* event) {
  return [event](const std::exception_ptr& thrown) {
    if (!cancelled(thrown)) failure(event, thrown);
  };
}

}  // namespace gateway::log
