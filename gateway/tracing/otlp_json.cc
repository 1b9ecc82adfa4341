#include "gateway/tracing/otlp_json.h"

#include <rapidjson/memorystream.h>
#include <rapidjson/stringbuffer.h>
#include <rapidjson/writer.h>

namespace gateway::tracing {

namespace {

// Bytes that are no UTF-8 (a location's name may be anything that came in a request) would make the whole batch
// unreadable: RapidJSON's writer refuses them, and what it refuses is written as U+FFFD.
using Json = rapidjson::Writer<rapidjson::StringBuffer, rapidjson::UTF8<>, rapidjson::UTF8<>, rapidjson::CrtAllocator,
                               rapidjson::kWriteValidateEncodingFlag>;

bool is_utf8(std::string_view text) {
  rapidjson::MemoryStream in(text.data(), text.size());
  rapidjson::StringBuffer out;
  while (in.Tell() < text.size())
    if (!rapidjson::UTF8<>::Validate(in, out)) return false;
  return true;
}

void string(Json& json, std::string_view text) {
  if (!is_utf8(text)) text = "\xef\xbf\xbd";
  json.String(text.data(), static_cast<rapidjson::SizeType>(text.size()));
}

template <std::size_t N>
void hex(Json& json, const std::array<std::uint8_t, N>& bytes) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string text;
  for (const std::uint8_t byte : bytes) text.append({kDigits[byte >> 4], kDigits[byte & 15]});
  string(json, text);
}

void nanoseconds(Json& json, std::chrono::system_clock::time_point time) {
  string(json, std::to_string(std::chrono::duration_cast<std::chrono::nanoseconds>(time.time_since_epoch()).count()));
}

void attribute(Json& json, const Attribute& attribute) {
  json.StartObject();
  json.Key("key"), string(json, attribute.key);
  json.Key("value"), json.StartObject();
  if (const auto* text = std::get_if<std::string>(&attribute.value)) json.Key("stringValue"), string(json, *text);
  if (const auto* number = std::get_if<std::int64_t>(&attribute.value))
    json.Key("intValue"), string(json, std::to_string(*number));
  if (const auto* flag = std::get_if<bool>(&attribute.value)) json.Key("boolValue"), json.Bool(*flag);
  json.EndObject();
  json.EndObject();
}

void attributes(Json& json, std::span<const Attribute> all) {
  json.Key("attributes"), json.StartArray();
  for (const auto& each : all) attribute(json, each);
  json.EndArray();
}

void span(Json& json, const Span& span) {
  constexpr int kError = 2;  // STATUS_CODE_ERROR
  json.StartObject();
  json.Key("traceId"), hex(json, span.trace);
  json.Key("spanId"), hex(json, span.id);
  if (span.parent) json.Key("parentSpanId"), hex(json, *span.parent);
  json.Key("name"), string(json, span.name);
  json.Key("kind"), json.Int(static_cast<int>(span.kind));
  json.Key("startTimeUnixNano"), nanoseconds(json, span.start);
  json.Key("endTimeUnixNano"), nanoseconds(json, span.end);
  attributes(json, span.attributes);
  json.Key("status"), json.StartObject();
  if (span.failed) json.Key("code"), json.Int(kError);
  json.EndObject();
  json.EndObject();
}

}  // namespace

std::string otlp_json(const Resource& resource, std::span<const Span> spans) {
  rapidjson::StringBuffer buffer;
  Json json(buffer);
  const Attribute of_resource[] = {{"service.name", std::string("contacts-gateway")},
                                   {"service.version", resource.version},
                                   {"service.instance.id", resource.instance}};
  json.StartObject();
  json.Key("resourceSpans"), json.StartArray(), json.StartObject();
  json.Key("resource"), json.StartObject();
  attributes(json, of_resource);
  json.EndObject();
  json.Key("scopeSpans"), json.StartArray(), json.StartObject();
  json.Key("scope"), json.StartObject();
  json.Key("name"), string(json, "contacts-gateway");
  json.Key("version"), string(json, resource.version);
  json.EndObject();
  json.Key("spans"), json.StartArray();
  for (const auto& each : spans) span(json, each);
  json.EndArray();
  json.EndObject(), json.EndArray();
  json.EndObject(), json.EndArray();
  json.EndObject();
  return {buffer.GetString(), buffer.GetSize()};
}

}  // namespace gateway::tracing
