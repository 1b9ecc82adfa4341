#include "tests/simulator/json.h"

namespace simulator {

namespace {

constexpr int kDepth = 64;

bool nested_too_deep(std::string_view text) {
  int depth = 0;
  bool quoted = false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (quoted) {
      if (c == '\\') ++i;
      if (c == '"') quoted = false;
    } else if (c == '"') {
      quoted = true;
    } else if (c == '[' || c == '{') {
      if (++depth > kDepth) return true;
    } else if (c == ']' || c == '}') {
      --depth;
    }
  }
  return false;
}

}  // namespace

std::optional<Document> parse_json(std::string_view text) {
  Document document;
  if (text.empty()) {
    document.SetObject();
    return document;
  }
  if (nested_too_deep(text)) return std::nullopt;
  document.Parse<rapidjson::kParseIterativeFlag | rapidjson::kParseValidateEncodingFlag>(text.data(), text.size());
  if (document.HasParseError()) return std::nullopt;
  return document;
}

std::string to_json(const Value& value) {
  rapidjson::StringBuffer buffer;
  rapidjson::Writer<rapidjson::StringBuffer> writer(buffer);
  value.Accept(writer);
  return {buffer.GetString(), buffer.GetSize()};
}

std::optional<std::string> string_member(const Value& object, const char* name) {
  if (!object.IsObject()) return std::nullopt;
  const auto member = object.FindMember(name);
  if (member == object.MemberEnd() || !member->value.IsString()) return std::nullopt;
  return std::string(view(member->value));
}

std::vector<std::string> strings_member(const Value& object, const char* name) {
  std::vector<std::string> out;
  if (!object.IsObject()) return out;
  const auto member = object.FindMember(name);
  if (member == object.MemberEnd() || !member->value.IsArray()) return out;
  for (const Value& item : member->value.GetArray()) {
    if (item.IsString()) out.emplace_back(view(item));
  }
  return out;
}

JsonWriter& JsonWriter::texts(const std::vector<std::string>& values) {
  array();
  for (const std::string& value : values) text(value);
  return end_array();
}

}  // namespace simulator
