#include "gateway/config/text_source.h"

#include <cctype>
#include <stdexcept>

#include "gateway/config/json_text.h"

namespace gateway::config {

namespace {

bool takes_json(Type type) { return type == Type::List || type == Type::ChoiceList || type == Type::TextList; }

// A list is written as JSON text; a text list may also be one plain text.
bool add_json(Given& given, Problems& problems) try {
  if (!takes_json(given.setting->type) || given.file_form) return true;
  if (given.setting->type == Type::TextList && !given.text.starts_with('[')) return true;
  given.owner = parse_json_text(given.origin, given.text).document;
  given.json = given.owner.get();
  return true;
} catch (const std::invalid_argument& e) {
  problems.emplace_back(e.what());
  return false;
}

}  // namespace

std::string in_capitals(std::string_view text) {
  std::string out(text);
  for (char& c : out) c = c == '.' || c == '-' ? '_' : static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
  return out;
}

std::string variable_name(std::string_view path) { return std::string(kVariablePrefix) + in_capitals(path); }

bool in_list(const Setting& setting) { return setting.path.find("[]") != std::string_view::npos; }

void put_text(const Found& found, const std::string& path, Source source, const std::string& origin,
              const std::string& text, Givens& givens, Problems& problems) {
  Given given;
  given.path = path;
  given.setting = found.setting;
  given.id = found.id;
  given.file_form = found.file_form;
  given.source = source;
  given.origin = origin;
  given.text = text;
  if (add_json(given, problems)) givens.put(std::move(given), problems);
}

}  // namespace gateway::config
