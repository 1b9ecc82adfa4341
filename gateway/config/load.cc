#include "gateway/config/load.h"

#include <unistd.h>

#include <algorithm>

#include "gateway/config/read_text_file.h"
#include "gateway/config/schema.h"
#include "gateway/config/suggest.h"
#include "gateway/config/value.h"

namespace gateway::config {

namespace {

constexpr std::string_view kHidden = "(hidden)";

std::string join_lines(const Problems& problems) {
  std::string text;
  for (const std::string& problem : problems) text.append(text.empty() ? "" : "\n").append(problem);
  return text;
}

bool valid_id(std::string_view id) {
  constexpr std::size_t kLongest = 64;
  return !id.empty() && id.size() <= kLongest && std::all_of(id.begin(), id.end(), [](char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '-' || c == '_';
  });
}

// A password stands before the last '@' of a URL's authority.
std::string without_user(const std::string& url) {
  const std::size_t at = url.rfind('@'), scheme = url.find("://");
  return at == std::string::npos || scheme == std::string::npos
             ? url
             : url.substr(0, scheme + 3) + std::string(kHidden) + url.substr(at);
}

std::string as_text(const rapidjson::Value& json) {
  if (json.IsString()) return {json.GetString(), json.GetStringLength()};
  if (json.IsBool()) return json.GetBool() ? "true" : "false";
  if (json.IsUint64()) return std::to_string(json.GetUint64());
  if (json.IsNumber()) {
    std::string text = std::to_string(json.GetDouble());
    text.erase(text.find_last_not_of('0') + 1);
    return text;
  }
  std::string text;
  if (json.IsArray())
    for (const auto& item : json.GetArray()) text.append(text.empty() ? "" : ", ").append(as_text(item));
  return text;
}

class Loader {
 public:
  explicit Loader(const Inputs& inputs) : inputs_(inputs) {}

  Loaded run() {
    gather();
    for (const auto& [path, given] : givens_.all())
      given.setting->type == Type::List ? apply_list(given) : apply(given);
    check_single_grant();
    check_file();
    if (!problems_.empty()) throw Invalid(std::move(problems_));
    add_defaults();
    return {settings_, std::move(effective_), std::move(file_text_), std::move(secret_files_)};
  }

 private:
  void gather() {
    std::string file = inputs_.file;
    for (const auto& [name, value] : inputs_.environment)
      if (name == "GATEWAY_CONFIG" && file.empty()) file = value;
    if (!file.empty()) read_settings_file(file);
    read_environment(inputs_.environment, inputs_.operations, givens_, problems_);
    read_flags(inputs_.flags, givens_, problems_);
  }

  void read_settings_file(const std::string& file) try {
    file_text_ = inputs_.file_text ? *inputs_.file_text : read_text_file(file);
    file_ = read_file(file, file_text_, givens_, problems_);
  } catch (const std::runtime_error& e) {
    problems_.emplace_back(e.what());
  }

  void refuse(const Given& given, const std::string& what) {
    const bool named = given.origin == "--" + given.path;
    problems_.push_back(given.origin + ": " + (named ? "" : given.path + ": ") + what);
  }

  bool known_id(const Given& given) {
    if (given.setting->path.find('<') == std::string_view::npos) return true;  // it has none
    const bool operation = given.setting->path.starts_with("cache.operations.");
    if (!operation) {
      if (!valid_id(given.id)) refuse(given, "a location id has letters, digits, - and _ only, 64 at most");
      return valid_id(given.id);
    }
    const auto& names = inputs_.operations;
    if (std::find(names.begin(), names.end(), given.id) != names.end()) return true;
    refuse(given,
           "no operation is called so" + did_you_mean(given.id, names) + "; `contacts-gateway operations` lists them");
    return false;
  }

  // The value itself, or what is in the file that its file form names.
  Parsed parse(const Given& given) {
    if (!given.file_form)
      return given.json ? parse_json(*given.setting, *given.json) : parse_text(*given.setting, given.text);
    if (given.json && !given.json->IsString()) return Wrong{"expected the path of a file"};
    const std::string path = given.json ? as_text(*given.json) : given.text;
    std::string content;
    secret_files_.push_back(path);
    try {
      content = read_text_file(path);
    } catch (const std::runtime_error& e) {
      return Wrong{e.what()};
    }
    while (!content.empty() && (content.back() == '\n' || content.back() == '\r')) content.pop_back();
    Parsed parsed = content.empty() ? Parsed(Wrong{path + " is empty"}) : parse_text(*given.setting, content);
    if (auto* value = std::get_if<Value>(&parsed)) value->file = path;
    explicit_bzero(content.data(), content.size());
    return parsed;
  }

  void apply(const Given& given) {
    if (!known_id(given)) return;
    const Parsed parsed = parse(given);
    if (const auto* wrong = std::get_if<Wrong>(&parsed)) return refuse(given, wrong->message);
    const Value& value = std::get<Value>(parsed);
    given.setting->apply(*settings_, given.id, value);
    effective_.push_back({given.path, shown(given, value), given.origin});
  }

  std::string shown(const Given& given, const Value& value) {
    const Setting& setting = *given.setting;
    if (setting.type == Type::RedisUrl) return without_user(value.text);
    if (setting.has_file_form() && !value.file.empty()) return std::string(kHidden) + " from the file " + value.file;
    if (setting.secret || setting.type == Type::KeyHash) return std::string(kHidden);
    return given.json ? as_text(*given.json) : given.text;
  }

  void apply_list(const Given& list) {
    if (!list.json || !list.json->IsArray()) return refuse(list, "expected " + expected(*list.setting));
    if (list.json->Empty()) effective_.push_back({list.path, "(none)", list.origin});
    std::size_t index = 0;
    for (const auto& element : list.json->GetArray())
      apply_element(list, element, list.path + "[" + std::to_string(index++) + "]");
  }

  void apply_element(const Given& list, const rapidjson::Value& element, const std::string& path) {
    Given given = list;
    given.path = path;
    given.origin = place(list, path);
    if (!element.IsObject()) return refuse(given, "expected an object");
    list.setting->path == "clients" ? (void)settings_->clients.emplace_back()
                                    : (void)settings_->credentials.oauth.grants.emplace_back();
    Givens members;
    for (const auto& [key, value] : element.GetObject())
      add_member(list, path, {key.GetString(), key.GetStringLength()}, value, members);
    for (const auto& [name, member] : members.all()) apply(member);
  }

  void add_member(const Given& list, const std::string& element, const std::string& name, const rapidjson::Value& value,
                  Givens& members) {
    std::vector<std::string> parts;
    for (std::string_view part : split_path(list.setting->path)) parts.emplace_back(part);
    parts.insert(parts.end(), {"[]", name});
    Given given = list;
    given.path = element + "." + name;
    given.origin = place(list, given.path);
    const auto found = find_setting(parts);
    if (!found)
      return refuse(given, "unknown setting" + similar_setting(std::string(list.setting->path) + "[]." + name));
    if (found->file_form) given.path.resize(given.path.size() - std::string_view("_file").size());
    given.setting = found->setting;
    given.file_form = found->file_form;
    given.json = &value;
    members.put(std::move(given), problems_);
  }

  static std::string place(const Given& list, const std::string& path) {
    if (!list.positions) return list.origin;
    const auto found = list.positions->find(path);
    return found == list.positions->end() ? list.origin : found->second;
  }

  // The same thing given in two ways: nobody could guess which of them wins.
  void check_single_grant() {
    const auto& all = givens_.all();
    if (!all.contains("credentials.oauth.grants")) return;
    for (const char* member : {"client_id", "client_secret", "refresh_token", "user_type", "redirect_uri", "location"})
      if (const auto single = all.find(std::string("credentials.oauth.") + member); single != all.end())
        refuse(single->second, "given beside credentials.oauth.grants; put it into that list");
  }

  // A value that a later source replaced was not checked above; the schema checks the whole file, so that it is found
  // all the same.
  void check_file() {
    if (!file_ || !problems_.empty()) return;
    if (std::string misfit = check_schema(*file_); !misfit.empty()) problems_.push_back(std::move(misfit));
  }

  void add_defaults() {
    for (const Setting& setting : table()) {
      const bool own_names = setting.path.find_first_of("<[") != std::string_view::npos;
      const std::string path(setting.path);
      if (!own_names && !givens_.all().contains(path))
        effective_.push_back({path, setting.fallback.empty() ? "(none)" : std::string(setting.fallback), "default"});
    }
    std::sort(effective_.begin(), effective_.end(), [](const auto& a, const auto& b) { return a.path < b.path; });
  }

  const Inputs& inputs_;
  std::optional<JsonText> file_;
  Givens givens_;
  Problems problems_;
  std::shared_ptr<Settings> settings_ = std::make_shared<Settings>();
  std::vector<Effective> effective_;
  std::string file_text_;
  std::vector<std::string> secret_files_;
};

}  // namespace

Invalid::Invalid(Problems problems) : std::runtime_error(join_lines(problems)), problems_(std::move(problems)) {}

Loaded load(const Inputs& inputs) { return Loader(inputs).run(); }

Environment process_environment() {
  Environment environment;
  for (char** entry = environ; *entry; ++entry) {
    const std::string_view text = *entry;
    const std::size_t equals = text.find('=');
    if (equals != std::string_view::npos) environment.emplace_back(text.substr(0, equals), text.substr(equals + 1));
  }
  return environment;
}

}  // namespace gateway::config
