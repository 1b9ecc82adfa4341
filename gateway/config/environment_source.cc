#include <algorithm>
#include <cctype>
#include <optional>

#include "gateway/config/sources.h"
#include "gateway/config/suggest.h"
#include "gateway/config/text_source.h"

namespace gateway::config {

namespace {

constexpr std::string_view kConfig = "GATEWAY_CONFIG";  // names the settings file, so it is no setting itself

// What a Service called "gateway" makes the kubelet put into every pod of its namespace.
bool from_kubernetes(std::string_view name, std::string_view value) {
  const bool address = value.starts_with("tcp://") || value.starts_with("udp://") || value.starts_with("sctp://");
  const std::size_t port = name.find("_PORT_");
  const bool port_part = port != std::string_view::npos && port + 6 < name.size() &&
                         std::isdigit(static_cast<unsigned char>(name[port + 6]));
  return name.ends_with("SERVICE_HOST") || name.find("SERVICE_PORT") != std::string_view::npos || port_part ||
         (name.ends_with("PORT") && address);
}

// The part of `name` that stands for "<id>" in the row's path; empty where the name is not this row's.
std::string own_name(const Setting& setting, std::string_view suffix, std::string_view name) {
  const std::size_t open = setting.path.find('<'), close = setting.path.find('>');
  const std::string before = variable_name(setting.path.substr(0, open));
  const std::string after = in_capitals(setting.path.substr(close + 1)) + std::string(suffix);
  if (name.size() <= before.size() + after.size() || !name.starts_with(before) || !name.ends_with(after)) return {};
  return std::string(name.substr(before.size(), name.size() - before.size() - after.size()));
}

// A shell cannot set a variable with dashes in its name, so GET_CONTACT stands for get-contact.
std::string operation_name(const std::string& id, const std::vector<std::string>& operations) {
  for (const std::string& operation : operations)
    if (in_capitals(operation) == id) return operation;
  return id;
}

struct Resolved {
  Found found;
  std::string path;
};

std::optional<Resolved> resolve(std::string_view name, const Setting& setting, bool file_form,
                                const std::vector<std::string>& operations) {
  const std::string_view suffix = file_form ? "_FILE" : "";
  const std::size_t open = setting.path.find('<');
  if (open == std::string_view::npos) {
    if (name != variable_name(setting.path) + std::string(suffix)) return std::nullopt;
    return Resolved{{&setting, {}, file_form}, std::string(setting.path)};
  }
  std::string id = own_name(setting, suffix, name);
  if (id.empty()) return std::nullopt;
  if (setting.path.starts_with("cache.operations.")) id = operation_name(id, operations);
  std::string path(setting.path);
  path.replace(open, setting.path.find('>') - open + 1, id);
  return Resolved{{&setting, id, file_form}, path};
}

std::optional<Resolved> resolve(std::string_view name, const std::vector<std::string>& operations) {
  for (const bool file_form : {true, false})  // the longer ending first: "…_TOKEN_FILE" is no location's "…_TOKEN"
    for (const Setting& setting : table()) {
      if (in_list(setting) || (file_form && !setting.has_file_form())) continue;
      if (auto resolved = resolve(name, setting, file_form, operations)) return resolved;
    }
  return std::nullopt;
}

std::string similar_variable(const std::string& name) {
  std::vector<std::string> names{std::string(kConfig)};
  for (const Setting& setting : table()) {
    if (in_list(setting)) continue;
    names.push_back(variable_name(setting.path));
    if (setting.has_file_form()) names.push_back(names.back() + "_FILE");
  }
  return did_you_mean(name, names);
}

}  // namespace

void read_environment(const Environment& environment, const std::vector<std::string>& operations, Givens& givens,
                      Problems& problems) {
  for (const auto& [name, value] : environment) {
    if (!name.starts_with(kVariablePrefix) || name == kConfig || value.empty()) continue;
    const auto resolved = resolve(name, operations);
    if (!resolved && from_kubernetes(name, value)) continue;
    if (!resolved) {
      problems.push_back(name + ": unknown variable" + similar_variable(name));
      continue;
    }
    put_text(resolved->found, resolved->path, Source::Environment, name, value, givens, problems);
  }
}

}  // namespace gateway::config
