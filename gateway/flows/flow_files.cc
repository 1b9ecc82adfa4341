#include "gateway/flows/flow_files.h"

#include <algorithm>
#include <filesystem>
#include <stdexcept>

#include "gateway/config/read_text_file.h"

namespace gateway::flows {

namespace {

namespace fs = std::filesystem;
using policies::flows::Flow;
using policies::flows::Zone;

const std::string kZones = "/usr/share/zoneinfo/";

std::vector<fs::path> files_of(const std::string& folder) {
  std::vector<fs::path> files;
  for (const auto& entry : fs::directory_iterator(folder)) {
    const auto& path = entry.path();
    const bool hidden = path.filename().string().starts_with('.');  // an editor's lock, what macOS adds
    if (!hidden && path.extension() == ".json" && !path.stem().string().ends_with(".schema")) files.push_back(path);
  }
  std::sort(files.begin(), files.end());
  return files;
}

std::string line_of(const std::string& file, const policies::flows::Problem& problem) {
  std::string line = file;
  if (problem.line != 0) line += ":" + std::to_string(problem.line);
  return line + ": " + (problem.field.empty() ? "" : problem.field + ": ") + problem.what;
}

void load_file(const fs::path& file, Flows& flows, std::vector<std::string>& problems) {
  const policies::flows::FlowParts parts{policies::Catalogue::builtin(), policies::Triggers::builtin(), system_zone};
  auto compiled = policies::flows::compile_flow(file.string(), config::read_text_file(file.string()), parts);
  if (const auto* wrong = std::get_if<policies::flows::Problems>(&compiled)) {
    for (const auto& problem : *wrong) problems.push_back(line_of(file.string(), problem));
    return;
  }
  auto& flow = std::get<Flow>(compiled);
  const auto same =
      std::find_if(flows.begin(), flows.end(), [&](const Flow& other) { return other.name == flow.name; });
  if (same != flows.end())
    problems.push_back(file.string() + ": name: " + same->file + " has a flow called '" + flow.name + "' too");
  else
    flows.push_back(std::move(flow));
}

}  // namespace

std::variant<std::shared_ptr<const Zone>, std::string> system_zone(std::string_view name) {
  if (auto fixed = Zone::without_file(name)) return std::make_shared<const Zone>(std::move(*fixed));
  const std::string wanted(name);
  const bool plain = !wanted.empty() && wanted.front() != '/' && wanted.find("..") == std::string::npos &&
                     wanted.find_first_not_of("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_+-/") ==
                         std::string::npos;
  std::error_code none;
  if (!plain || !fs::is_regular_file(kZones + wanted, none))
    return "no time zone '" + wanted + "' in " + kZones + " (package tzdata); expected UTC, +01:00 or Europe/Berlin";
  auto zone = Zone::parse(config::read_text_file(kZones + wanted));
  if (auto* why = std::get_if<std::string>(&zone)) return kZones + wanted + " " + *why;
  return std::make_shared<const Zone>(std::get<Zone>(std::move(zone)));
}

FlowFiles load_flows(const std::string& folder) {
  FlowFiles loaded;
  Flows flows;
  try {
    for (const auto& file : files_of(folder)) load_file(file, flows, loaded.problems);
  } catch (const std::exception& e) {  // a folder or a file that cannot be read
    loaded.problems.push_back("flows.path: " + std::string(e.what()));
  }
  if (loaded.problems.empty() && flows.empty())
    loaded.problems.push_back("flows.path: no flow (*.json) in " + folder +
                              "; README shows how to take the shipped ones");
  if (!loaded.problems.empty()) return loaded;
  std::sort(flows.begin(), flows.end(), [](const Flow& a, const Flow& b) { return a.name < b.name; });
  loaded.flows = std::make_shared<const Flows>(std::move(flows));
  return loaded;
}

}  // namespace gateway::flows
