// Reading JSON in tests by path: `Json(body).text("contact.tags.0")`. A wrong path or type throws std::runtime_error
// naming it, so that a test fails with the reason and not with an empty string.
#pragma once

#include <rapidjson/document.h>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace test_support {

class Json {
 public:
  explicit Json(std::string_view text);                     // throws when `text` is no JSON
  static std::optional<Json> parse(std::string_view text);  // nothing when `text` is no JSON

  // `path`: member names and array positions parted by dots; empty for the whole.
  bool has(std::string_view path) const { return find(path) != nullptr; }
  std::string text(std::string_view path) const;
  std::int64_t integer(std::string_view path) const;
  bool boolean(std::string_view path) const;
  std::size_t size(std::string_view path) const;                // elements of an array, members of an object
  std::vector<std::string> names(std::string_view path) const;  // an object's member names in their order
  const rapidjson::Value* find(std::string_view path) const;

 private:
  Json() = default;
  const rapidjson::Value& at(std::string_view path, const char* wanted, bool (rapidjson::Value::*is)() const) const;
  rapidjson::Document document_;
};

// `text` in double quotes, escaped.
std::string json_string(std::string_view text);

}  // namespace test_support
