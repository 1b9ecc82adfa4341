#include "tests/deploy/dashboards.h"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <set>

#include "tests/support/json.h"
#include "tests/support/paths.h"

namespace deploy_tests {

using test_support::Json;

namespace {

Json read(const std::string& file) {
  std::ifstream in(file, std::ios::binary);
  return Json(std::string(std::istreambuf_iterator<char>(in), {}));
}

std::string name_of(const std::string& file) { return std::filesystem::path(file).filename().string(); }

void replace_all(std::string& text, std::string_view from, std::string_view to) {
  for (auto at = text.find(from); at != std::string::npos; at = text.find(from, at + to.size()))
    text.replace(at, from.size(), to);
}

std::string filled_in(std::string text) {
  replace_all(text, "$__rate_interval", "5s");
  replace_all(text, "$instance", ".*");
  replace_all(text, "$location", ".*");
  return text;
}

std::vector<std::string> each(const Json& json, const std::string& list) {
  std::vector<std::string> paths;
  for (std::size_t i = 0; i < json.size(list); ++i) paths.push_back(list + "." + std::to_string(i));
  return paths;
}

// label_values(metric{…}, label): what it asks of Prometheus is the metric.
std::string metric_of(const std::string& definition) {
  constexpr std::string_view kCall = "label_values(";
  return definition.substr(kCall.size(), definition.rfind(',') - kCall.size());
}

void check_panel(const Json& json, const std::string& panel, std::set<std::int64_t>& ids,
                 std::vector<std::string>& found) {
  const std::string title = json.text(panel + ".title");
  if (!ids.insert(json.integer(panel + ".id")).second) found.push_back(title + ": its id is another's too");
  const auto x = json.integer(panel + ".gridPos.x"), w = json.integer(panel + ".gridPos.w");
  if (x < 0 || w < 1 || x + w > 24) found.push_back(title + ": it does not fit the grid of 24 columns");
  if (json.text(panel + ".type") == "row") return;
  if (!json.has(panel + ".description") || json.text(panel + ".description").empty())
    found.push_back(title + ": no description");
  if (!json.has(panel + ".fieldConfig.defaults.unit")) found.push_back(title + ": no unit");
  if (json.text(panel + ".datasource.uid") != "${datasource}") found.push_back(title + ": a data source of its own");
  if (json.size(panel + ".targets") == 0) found.push_back(title + ": it asks nothing");
}

}  // namespace

std::vector<std::string> dashboard_files() {
  std::vector<std::string> files;
  for (const auto& entry : std::filesystem::directory_iterator(test_support::source_dir() + "/grafana/dashboards"))
    files.push_back(entry.path());
  std::ranges::sort(files);
  return files;
}

std::vector<Query> queries_of(const std::string& file) {
  const Json json = read(file);
  const std::string name = name_of(file) + ": ";
  std::vector<Query> queries;
  for (const auto& panel : each(json, "panels")) {
    if (json.text(panel + ".type") == "row") continue;
    for (const auto& target : each(json, panel + ".targets"))
      queries.push_back({name + json.text(panel + ".title"), filled_in(json.text(target + ".expr"))});
  }
  for (const auto& annotation : each(json, "annotations.list"))
    queries.push_back(
        {name + "annotation " + json.text(annotation + ".name"), filled_in(json.text(annotation + ".expr"))});
  for (const auto& variable : each(json, "templating.list"))
    if (json.text(variable + ".type") == "query")
      queries.push_back({name + "variable " + json.text(variable + ".name"),
                         filled_in(metric_of(json.text(variable + ".definition")))});
  return queries;
}

std::vector<std::string> shortcomings_of(const std::string& file) {
  const Json json = read(file);
  std::vector<std::string> found;
  std::set<std::int64_t> ids;
  for (const auto& panel : each(json, "panels")) check_panel(json, panel, ids, found);
  // An id of another Grafana's database or a data source asked for at import would stand in the way of provisioning.
  if (json.has("id")) found.push_back("an id of its own");
  if (json.has("__inputs")) found.push_back("__inputs: provisioning does not fill them in");
  if (!json.has("uid") || json.text("uid").empty()) found.push_back("no uid");
  std::vector<std::string> variables;
  for (const auto& variable : each(json, "templating.list")) variables.push_back(json.text(variable + ".name"));
  if (variables != std::vector<std::string>{"datasource", "instance", "location"})
    found.push_back("variables: expected datasource, instance, location");
  for (auto& each_found : found) each_found = name_of(file) + ": " + each_found;
  return found;
}

}  // namespace deploy_tests
