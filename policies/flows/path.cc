#include "policies/flows/path.h"

#include <charconv>

namespace policies::flows {

namespace {

bool says(const Json& element, const std::string& selector, const std::string& value) {
  const Json* member = element.find(selector);
  if (member == nullptr) return false;
  if (const auto* text = member->as<std::string>()) return *text == value;
  return to_text(*member) == value;
}

const Json* element_of(const Array& items, const std::string& number) {
  std::size_t index = 0;
  const auto [rest, problem] = std::from_chars(number.data(), number.data() + number.size(), index);
  if (problem != std::errc() || rest != number.data() + number.size() || index >= items.size()) return nullptr;
  return &items[index];
}

}  // namespace

std::variant<Path, std::string> Path::parse(std::string_view text) {
  const auto wrong = [&](std::string_view why) {
    return "'" + std::string(text) + "' is no path: " + std::string(why);
  };
  Path path;
  path.text_ = text;
  std::string name;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '\\' && i + 1 < text.size()) {
      name += text[++i];
    } else if (text[i] == '[') {
      const auto end = text.find(']', i);
      const auto equals = text.find('=', i);
      if (end == std::string_view::npos || equals >= end || equals == i + 1 || (name.empty() && path.parts_.empty()))
        return wrong("a selector looks like [id=abc]");
      if (!name.empty()) path.parts_.push_back({std::move(name), {}, {}});
      name.clear();
      path.parts_.push_back({{},
                             std::string(text.substr(i + 1, equals - i - 1)),
                             std::string(text.substr(equals + 1, end - equals - 1))});
      i = end;
      if (i + 1 < text.size() && text[i + 1] != '.' && text[i + 1] != '[') return wrong("after ] comes a dot");
      if (i + 1 < text.size() && text[i + 1] == '.') {
        ++i;
        if (i + 1 == text.size()) return wrong("it ends with a dot");
      }
    } else if (text[i] == '.') {
      if (name.empty()) return wrong("a name is missing before a dot");
      path.parts_.push_back({std::move(name), {}, {}});
      name.clear();
      if (i + 1 == text.size()) return wrong("it ends with a dot");
    } else {
      name += text[i];
    }
  }
  if (!name.empty()) path.parts_.push_back({std::move(name), {}, {}});
  if (path.parts_.empty()) return wrong("it is empty");
  return path;
}

const Json* Path::in(const Json& root) const {
  const Json* at = &root;
  for (const auto& part : parts_) {
    const auto* items = at->as<Array>();
    if (!part.selector.empty()) {
      const Json* found = nullptr;
      if (items != nullptr)
        for (const auto& item : *items)
          if (found == nullptr && says(item, part.selector, part.value)) found = &item;
      at = found;
    } else {
      at = items != nullptr ? element_of(*items, part.name) : at->find(part.name);
    }
    if (at == nullptr) return nullptr;
  }
  return at;
}

}  // namespace policies::flows
