#include "gateway/config/sources.h"
#include "gateway/config/text_source.h"

namespace gateway::config {

namespace {

std::vector<std::string> owned_parts(std::string_view path) {
  std::vector<std::string> parts;
  for (std::string_view part : split_path(path)) parts.emplace_back(part);
  return parts;
}

void read_flag(const std::string& name, const std::string& value, Givens& givens, Problems& problems) {
  const auto found = find_setting(owned_parts(std::string_view(name).substr(2)));
  const bool usable = found && !in_list(*found->setting);
  if (!usable) return problems.push_back(name + ": unknown flag" + similar_setting(name.substr(2)));
  std::string path = name.substr(2);
  if (found->file_form) path.resize(path.size() - std::string_view("_file").size());
  if (found->setting->secret && !found->file_form)
    return problems.push_back(
        name + ": a secret is not taken as a flag, since everyone on this machine can read it there; use " + name +
        "_file PATH or the variable " + variable_name(path));
  put_text(*found, path, Source::Flag, name, value, givens, problems);
}

}  // namespace

void read_flags(const std::vector<std::string>& flags, Givens& givens, Problems& problems) {
  for (std::size_t i = 0; i < flags.size(); ++i) {
    const std::string& flag = flags[i];
    const std::size_t equals = flag.find('=');
    if (!flag.starts_with("--") || flag.size() < 3) {
      problems.push_back(flag.substr(0, 40) + ": no command and no setting; settings are given as --path=value");
    } else if (equals != std::string::npos) {
      read_flag(flag.substr(0, equals), flag.substr(equals + 1), givens, problems);
    } else if (i + 1 < flags.size() && !flags[i + 1].starts_with("--")) {
      read_flag(flag, flags[i + 1], givens, problems);
      ++i;
    } else if (find_setting(owned_parts(std::string_view(flag).substr(2)))) {
      problems.push_back(flag + ": its value is missing");
    } else {
      problems.push_back(flag + ": unknown flag" + similar_setting(flag.substr(2)));
    }
  }
}

}  // namespace gateway::config
