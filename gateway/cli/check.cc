#include <algorithm>
#include <iomanip>
#include <ostream>

#include "gateway/cli/commands.h"
#include "gateway/cli/connect.h"
#include "gateway/cli/exit_code.h"
#include "gateway/config/checks.h"
#include "gateway/flows/flow_files.h"
#include "gateway/lifecycle/edge_tls.h"

namespace gateway::cli {

std::optional<config::Loaded> load_settings(const config::Inputs& inputs, bool to_serve, config::Problems& problems) {
  std::optional<config::Loaded> loaded;
  try {
    loaded = config::load(inputs);
    if (to_serve) problems = config::contradictions(*loaded->settings);
    if (to_serve && problems.empty()) problems = lifecycle::tls_problems(*loaded->settings);
    if (to_serve && problems.empty() && !loaded->settings->flows.path.empty())
      problems = flows::load_flows(loaded->settings->flows.path).problems;
  } catch (const config::Invalid& invalid) {
    problems = invalid.problems();
  }
  if (!problems.empty()) return std::nullopt;
  return loaded;
}

std::optional<config::Loaded> load_settings(const config::Inputs& inputs, bool to_serve, std::ostream& errors) {
  config::Problems problems;
  auto loaded = load_settings(inputs, to_serve, problems);
  for (const std::string& problem : problems) errors << "contacts-gateway: " << problem << '\n';
  return loaded;
}

namespace {

// A value of several lines (a PEM) stays in its row.
std::string in_one_line(const std::string& value) {
  std::string text;
  for (const char c : value.substr(0, value.find_last_not_of("\r\n") + 1)) {
    if (c == '\n')
      text += "\\n";
    else if (c != '\r')
      text += c;
  }
  return text;
}

void print(const std::vector<config::Effective>& settings, std::ostream& out) {
  constexpr std::size_t kWidestValue = 48;
  std::vector<std::string> values;
  std::size_t path_width = 0, value_width = 0;
  for (const auto& setting : settings) {
    values.push_back(in_one_line(setting.value));
    path_width = std::max(path_width, setting.path.size());
    value_width = std::max(value_width, std::min(values.back().size(), kWidestValue));
  }
  for (std::size_t i = 0; i < settings.size(); ++i)
    out << std::left << std::setw(static_cast<int>(path_width)) << settings[i].path << "  "
        << std::setw(static_cast<int>(value_width)) << values[i] << "  " << settings[i].origin << '\n';
}

}  // namespace

int check(const config::Inputs& inputs, bool connect, std::ostream& out, std::ostream& errors) {
  const auto loaded = load_settings(inputs, true, errors);
  if (!loaded) return kInvalid;
  print(loaded->effective, out);
  out << "The settings are right.\n";
  return connect ? try_connections(*loaded->settings, out << '\n') : kDone;
}

}  // namespace gateway::cli
