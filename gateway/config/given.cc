#include "gateway/config/given.h"

#include <algorithm>

#include "gateway/config/suggest.h"

namespace gateway::config {

namespace {

constexpr std::string_view kFileSuffix = "_file";

bool is_name(std::string_view part) { return part.starts_with('<'); }

// Whether the first parts of `row` take `parts`; `id` receives what stood for "<id>".
bool takes(const std::vector<std::string_view>& row, const std::vector<std::string>& parts, std::string& id) {
  if (row.size() < parts.size()) return false;
  for (std::size_t i = 0; i < parts.size(); ++i) {
    if (is_name(row[i]))
      id = parts[i];
    else if (row[i] != parts[i])
      return false;
  }
  return true;
}

std::optional<Found> exact(const std::vector<std::string>& parts, bool file_form) {
  for (const Setting& setting : table()) {
    const auto row = split_path(setting.path);
    std::string id;
    if (row.size() != parts.size() || !takes(row, parts, id)) continue;
    if (!file_form || setting.has_file_form()) return Found{&setting, id, file_form};
  }
  return std::nullopt;
}

}  // namespace

std::optional<Found> find_setting(const std::vector<std::string>& parts) {
  if (auto found = exact(parts, false)) return found;
  if (parts.empty() || !parts.back().ends_with(kFileSuffix)) return std::nullopt;
  auto plain = parts;
  plain.back().resize(plain.back().size() - kFileSuffix.size());
  return exact(plain, true);
}

bool is_section(const std::vector<std::string>& parts) {
  return std::any_of(table().begin(), table().end(), [&](const Setting& setting) {
    std::string id;
    const auto row = split_path(setting.path);
    return row.size() > parts.size() && takes(row, parts, id);
  });
}

std::string join_path(const std::vector<std::string>& parts) {
  std::string path;
  for (const std::string& part : parts) path.append(path.empty() ? "" : ".").append(part);
  return path;
}

std::string similar_setting(const std::string& path) {
  std::vector<std::string> names;
  for (const Setting& setting : table()) {
    names.emplace_back(setting.path);
    for (std::size_t dot = setting.path.find('.'); dot != std::string_view::npos; dot = setting.path.find('.', dot + 1))
      names.emplace_back(setting.path.substr(0, dot));
    if (setting.has_file_form()) names.push_back(std::string(setting.path) + std::string(kFileSuffix));
  }
  return did_you_mean(path, names);
}

void Givens::put(Given given, Problems& problems) {
  const auto [slot, fresh] = by_path_.try_emplace(given.path, given);
  if (fresh) return;
  if (slot->second.source == given.source)
    problems.push_back(given.origin + ": " + given.path + " is given twice, here and by " + slot->second.origin);
  else
    slot->second = std::move(given);
}

}  // namespace gateway::config
