// The few JSON shapes the simulator reads and writes. Bodies are untrusted: parsed iteratively, and refused when nested
// deeper than 64, because everything that walks a parsed value recurses.
#pragma once

#include <rapidjson/document.h>
#include <rapidjson/stringbuffer.h>
#include <rapidjson/writer.h>

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace simulator {

using Value = rapidjson::Value;
using Document = rapidjson::Document;

// Nothing where the text is no JSON or nested too deep; an empty text is an empty object, as the API takes it.
std::optional<Document> parse_json(std::string_view text);

std::string to_json(const Value& value);

inline std::string_view view(const Value& string) { return {string.GetString(), string.GetStringLength()}; }
std::optional<std::string> string_member(const Value& object, const char* name);
std::vector<std::string> strings_member(const Value& object, const char* name);  // skips what is no string

// A JSON text being written: `key(…)` then one of the values.
class JsonWriter {
 public:
  JsonWriter() : writer_(buffer_) {}
  JsonWriter& object() { return writer_.StartObject(), *this; }
  JsonWriter& end_object() { return writer_.EndObject(), *this; }
  JsonWriter& array() { return writer_.StartArray(), *this; }
  JsonWriter& end_array() { return writer_.EndArray(), *this; }
  JsonWriter& key(std::string_view name) { return writer_.Key(name.data(), size(name)), *this; }
  JsonWriter& text(std::string_view value) { return writer_.String(value.data(), size(value)), *this; }
  JsonWriter& number(long long value) { return writer_.Int64(value), *this; }
  JsonWriter& number(unsigned long long value) { return writer_.Uint64(value), *this; }
  JsonWriter& boolean(bool value) { return writer_.Bool(value), *this; }
  JsonWriter& null() { return writer_.Null(), *this; }
  JsonWriter& raw(std::string_view json) {
    return writer_.RawValue(json.data(), json.size(), rapidjson::kObjectType), *this;
  }
  JsonWriter& texts(const std::vector<std::string>& values);

  JsonWriter& member(std::string_view name, std::string_view value) { return key(name).text(value); }
  JsonWriter& member(std::string_view name, const char* value) { return key(name).text(value); }
  JsonWriter& member(std::string_view name, bool value) { return key(name).boolean(value); }
  JsonWriter& count(std::string_view name, std::size_t value) {
    return key(name).number(static_cast<unsigned long long>(value));
  }
  std::string take() const { return {buffer_.GetString(), buffer_.GetSize()}; }

 private:
  static rapidjson::SizeType size(std::string_view text) { return static_cast<rapidjson::SizeType>(text.size()); }
  rapidjson::StringBuffer buffer_;
  rapidjson::Writer<rapidjson::StringBuffer> writer_;
};

}  // namespace simulator
