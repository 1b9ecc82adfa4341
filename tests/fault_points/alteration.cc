#include "tests/fault_points/alteration.h"

#include <signal.h>
#include <time.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <string>

namespace altered {

namespace {
constexpr std::array<std::string_view, 7> kRules{"pending-mark", "generation", "acknowledgements", "lease-fence",
                                                 "end-check",    "quarantine", "flight-state"};
constexpr std::array<std::string_view, 7> kSteps{"begin", "begun", "send", "upstream", "answered", "end", "ended"};

std::string variable(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? "" : value;
}

template <typename Known>
std::string one_of(const char* name, const Known& known) {
  auto value = variable(name);
  if (value.empty() || std::find(known.begin(), known.end(), value) != known.end()) return value;
  std::fprintf(stderr, "contacts-gateway-with-faults: %s knows no '%s'\n", name, value.c_str());
  std::abort();
}

// The kernel sends it after a moment, so that the request is on its way by then.
void signal_soon(int number) {
  sigevent event{};
  event.sigev_notify = SIGEV_SIGNAL;
  event.sigev_signo = number;
  timer_t timer{};
  itimerspec when{};
  when.it_value.tv_nsec = 1'000'000;
  if (timer_create(CLOCK_MONOTONIC, &event, &timer) != 0 || timer_settime(timer, 0, &when, nullptr) != 0) std::abort();
}
}  // namespace

bool without(std::string_view rule) {
  static const std::string taken_out = one_of("ALTERED_WITHOUT", kRules);
  return taken_out == rule;
}

void reached(std::string_view step) {
  static const std::string at = one_of("ALTERED_STEP", kSteps);
  static const int number =
      one_of("ALTERED_SIGNAL", std::array<std::string_view, 2>{"KILL", "STOP"}) == "STOP" ? SIGSTOP : SIGKILL;
  static const int write = std::max(1, std::atoi(variable("ALTERED_WRITE").c_str()));
  static std::atomic<int> writes{0};
  if (at != step || ++writes != write) return;
  if (step == "upstream")
    signal_soon(number);
  else
    raise(number);
}

}  // namespace altered
