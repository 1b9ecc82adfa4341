// The fault points of contacts-gateway-with-faults: TEST_FAULT_POINT=NAME or NAME:N makes this process kill itself when
// it reaches that step for the first or the N-th time.
#include "gateway/fault_point.h"

#include <signal.h>

#include <atomic>
#include <charconv>
#include <cstdlib>

namespace gateway {

namespace {

struct Fatal {
  std::string_view name;
  int at = 1;
};

Fatal fatal() {
  const char* given = std::getenv("TEST_FAULT_POINT");
  if (given == nullptr) return {};
  Fatal fatal{given};
  const auto colon = fatal.name.find(':');
  if (colon == std::string_view::npos) return fatal;
  const auto number = fatal.name.substr(colon + 1);
  std::from_chars(number.data(), number.data() + number.size(), fatal.at);
  fatal.name = fatal.name.substr(0, colon);
  return fatal;
}

}  // namespace

void fault_point(std::string_view name) {
  static const Fatal wanted = fatal();
  static std::atomic<int> reached{0};
  if (name == wanted.name && ++reached == wanted.at) ::raise(SIGKILL);
}

}  // namespace gateway
