// JSON as flows work on it: values with the line they stand on, so that what is wrong in a flow's file can be named.
// Numbers stay the text they were written as (long integers would become doubles). Values are small trees, copied
// whole. Pure; any thread.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace policies::flows {

struct Json;
struct Number {
  std::string text;  // as JSON writes it
  bool operator==(const Number&) const = default;
};
using Array = std::vector<Json>;
using Member = std::pair<std::string, Json>;
using Object = std::vector<Member>;  // in the order written; a name occurs once

struct Json {
  std::variant<std::nullptr_t, bool, Number, std::string, Array, Object> value = nullptr;
  std::uint32_t line = 0;  // of its first character, from 1; 0: it was made here

  Json() = default;
  explicit Json(bool on) : value(on) {}
  explicit Json(Number number) : value(std::move(number)) {}
  explicit Json(std::string text) : value(std::move(text)) {}
  explicit Json(const char* text) : value(std::string(text)) {}
  explicit Json(Array items) : value(std::move(items)) {}
  explicit Json(Object members) : value(std::move(members)) {}

  template <typename T>
  const T* as() const {
    return std::get_if<T>(&value);
  }
  const Json* find(std::string_view name) const;  // a member; null where there is none or this is no object
  bool is_null() const { return std::holds_alternative<std::nullptr_t>(value); }
  // null, "", [] and {}: what a mapping takes for not there.
  bool is_empty() const;
  bool operator==(const Json& other) const { return value == other.value; }  // wherever they stand
};

struct JsonProblem {
  std::uint32_t line = 0;
  std::string what;
};
// One JSON text (RFC 8259), at most 64 levels deep, each name once in its object; a later one of the same name in
// untrusted text (`lenient`) takes the place of the earlier. `lenient` false: comments and trailing commas are fine.
std::variant<Json, JsonProblem> parse_json(std::string_view text, bool lenient = false);

std::string to_text(const Json& json);  // compact; numbers as they were written

}  // namespace policies::flows
