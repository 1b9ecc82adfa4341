#include <stdexcept>
#include <string>
#include <vector>

#include "gateway/config/sources.h"

namespace gateway::config {

namespace {

class Walk {
 public:
  Walk(const JsonText& json, Givens& givens, Problems& problems) : json_(json), givens_(givens), problems_(problems) {}

  void object(const rapidjson::Value& value, std::vector<std::string>& parts) {
    for (const auto& [name, member] : value.GetObject()) {
      parts.emplace_back(name.GetString(), name.GetStringLength());
      visit(member, parts);
      parts.pop_back();
    }
  }

 private:
  void visit(const rapidjson::Value& value, std::vector<std::string>& parts) {
    const std::string path = join_path(parts);
    const std::string at = json_.positions->at(path) + ": ";
    const auto found = find_setting(parts);
    if (found) return put(value, path, *found);
    if (!is_section(parts)) return refuse(at, path, parts.back());
    if (!value.IsObject()) return problems_.push_back(at + path + ": expected an object with its settings");
    const bool location = parts.size() == 3 && parts[0] == "credentials" && parts[1] == "locations";
    if (location && value.ObjectEmpty())
      return problems_.push_back(at + path + ": has no token; expected token or token_file in it");
    object(value, parts);
  }

  void refuse(const std::string& at, const std::string& path, const std::string& name) {
    const bool dotted = name.find('.') != std::string::npos;
    problems_.push_back(at + path + ": unknown setting" +
                        (dotted ? "; write it nested, an object for each part" : similar_setting(path)));
  }

  void put(const rapidjson::Value& value, const std::string& path, const Found& found) {
    Given given;
    given.path = found.file_form ? path.substr(0, path.size() - std::string_view("_file").size()) : path;
    given.setting = found.setting;
    given.id = found.id;
    given.file_form = found.file_form;
    given.source = Source::File;
    given.origin = json_.positions->at(path);
    given.json = &value;
    given.owner = json_.document;
    given.positions = json_.positions;
    givens_.put(std::move(given), problems_);
  }

  const JsonText& json_;
  Givens& givens_;
  Problems& problems_;
};

}  // namespace

std::optional<JsonText> read_file(const std::string& path, const std::string& text, Givens& givens,
                                  Problems& problems) try {
  JsonText json = parse_json_text(path, text);
  if (!json.document->IsObject()) {
    problems.push_back(path + ":1:1: expected an object with the settings");
    return std::nullopt;
  }
  std::vector<std::string> parts;
  Walk(json, givens, problems).object(*json.document, parts);
  return json;
} catch (const std::exception& e) {
  problems.emplace_back(e.what());
  return std::nullopt;
}

}  // namespace gateway::config
