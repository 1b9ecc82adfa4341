#include "tests/support/json.h"

#include <rapidjson/error/en.h>
#include <rapidjson/stringbuffer.h>
#include <rapidjson/writer.h>

#include <charconv>
#include <stdexcept>

namespace test_support {
namespace {

const rapidjson::Value* child(const rapidjson::Value& value, std::string_view name) {
  if (value.IsObject()) {
    const rapidjson::Value key(name.data(), static_cast<rapidjson::SizeType>(name.size()));
    const auto member = value.FindMember(key);
    return member == value.MemberEnd() ? nullptr : &member->value;
  }
  rapidjson::SizeType position = 0;
  const auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), position);
  const bool number = error == std::errc{} && end == name.data() + name.size();
  return value.IsArray() && number && position < value.Size() ? &value[position] : nullptr;
}

}  // namespace

Json::Json(std::string_view text) {
  document_.Parse<rapidjson::kParseIterativeFlag>(text.data(), text.size());
  if (!document_.HasParseError()) return;
  throw std::runtime_error(std::string("not JSON (") + rapidjson::GetParseError_En(document_.GetParseError()) +
                           "): " + std::string(text.substr(0, 200)));
}

std::optional<Json> Json::parse(std::string_view text) {
  Json json;
  json.document_.Parse<rapidjson::kParseIterativeFlag>(text.data(), text.size());
  if (json.document_.HasParseError()) return std::nullopt;
  return json;
}

const rapidjson::Value* Json::find(std::string_view path) const {
  const rapidjson::Value* value = &document_;
  while (value != nullptr && !path.empty()) {
    const std::size_t dot = path.find('.');
    value = child(*value, path.substr(0, dot));
    path = dot == std::string_view::npos ? std::string_view{} : path.substr(dot + 1);
  }
  return value;
}

const rapidjson::Value& Json::at(std::string_view path, const char* wanted,
                                 bool (rapidjson::Value::*is)() const) const {
  const rapidjson::Value* value = find(path);
  if (value != nullptr && (value->*is)()) return *value;
  throw std::runtime_error("JSON: '" + std::string(path) + "' is " + (value ? "not " : "missing, wanted ") + wanted);
}

std::string Json::text(std::string_view path) const {
  const rapidjson::Value& value = at(path, "a string", &rapidjson::Value::IsString);
  return {value.GetString(), value.GetStringLength()};
}

std::int64_t Json::integer(std::string_view path) const {
  return at(path, "an integer", &rapidjson::Value::IsInt64).GetInt64();
}

bool Json::boolean(std::string_view path) const { return at(path, "a boolean", &rapidjson::Value::IsBool).GetBool(); }

std::size_t Json::size(std::string_view path) const {
  const rapidjson::Value* value = find(path);
  if (value != nullptr && value->IsArray()) return value->Size();
  return at(path, "an array or object", &rapidjson::Value::IsObject).MemberCount();
}

std::vector<std::string> Json::names(std::string_view path) const {
  std::vector<std::string> names;
  for (const auto& member : at(path, "an object", &rapidjson::Value::IsObject).GetObject())
    names.emplace_back(member.name.GetString(), member.name.GetStringLength());
  return names;
}

std::string json_string(std::string_view text) {
  rapidjson::StringBuffer buffer;
  rapidjson::Writer<rapidjson::StringBuffer> writer(buffer);
  writer.String(text.data(), static_cast<rapidjson::SizeType>(text.size()));
  return {buffer.GetString(), buffer.GetSize()};
}

}  // namespace test_support
