// The command line. A wrong one says what was wrong and what would be right, in one line.
#pragma once

#include <string>
#include <variant>
#include <vector>

#include "tests/simulator/handler.h"
#include "tests/simulator/simulator.h"
#include "tests/simulator/webhooks.h"

namespace simulator {

struct CommandLine {
  std::vector<std::string> listen;
  std::size_t threads = 1;
  Options api;
  Latency latency;
  WebhookOptions webhooks;
  std::vector<std::pair<std::string, Grant>> refresh_tokens;
  std::vector<std::pair<std::string, Grant>> codes;
  bool help = false;
  bool version = false;
};

// The command line, or what is wrong with it.
std::variant<std::string, CommandLine> parse_command_line(const std::vector<std::string>& arguments);
std::string help_text();

}  // namespace simulator
