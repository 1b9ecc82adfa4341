#include "policies/record.h"

#include <rapidjson/stringbuffer.h>
#include <rapidjson/writer.h>

#include <algorithm>

#include "policies/json_slices.h"
#include "policies/query.h"

namespace policies {

namespace {

std::optional<std::string_view> member_of_kind(std::string_view body, std::string_view name, char begins) {
  const auto value = json_member(body, name);
  return value && value->starts_with(begins) ? value : std::nullopt;
}

std::optional<std::string_view> value_of(const PartAnswer& answer) {
  return answer.status == 200 ? member_of_kind(answer.body, kParts[answer.part].member, '[') : std::nullopt;
}

void append_name(std::string& out, std::string_view name) {
  if (out.back() != '{') out += ',';
  out.append("\"").append(name).append("\":");
}

}  // namespace

void append_problem(std::string& out, int status, std::string_view body) {
  if (json_member(body, "type") && json_member(body, "title")) {
    out.append(body.substr(0, body.find_last_not_of(" \t\r\n") + 1));
    return;
  }
  rapidjson::StringBuffer buffer;
  rapidjson::Writer<rapidjson::StringBuffer> json(buffer);
  const bool unreadable = status == 200;
  json.StartObject();
  json.Key("type");
  json.String(unreadable ? "https://contacts-gateway.dev/problems/upstream-unreadable"
                         : "https://contacts-gateway.dev/problems/upstream-refused");
  json.Key("title");
  json.String(unreadable ? "The upstream's answer cannot be read" : "The upstream refused it");
  json.Key("status"), json.Int(unreadable ? 502 : status);
  if (!unreadable && json_children(body, [](auto, auto) {})) {
    json.Key("upstream");
    json.RawValue(body.data(), body.size(), rapidjson::kObjectType);
  }
  json.EndObject();
  out.append(buffer.GetString(), buffer.GetSize());
}

std::optional<std::string_view> contact_of(std::string_view body) { return member_of_kind(body, "contact", '{'); }

std::optional<std::string> include_of(std::string_view query) {
  std::optional<std::string> all;
  for_each_parameter(query, [&](std::string_view name, std::string_view value) {
    if (name != "include" && name != "include[]") return;
    if (!all) all.emplace();
    if (!all->empty() && !value.empty()) *all += ',';
    *all += value;
  });
  return all;
}

std::variant<Parts, UnknownPart> parse_parts(std::string_view include) {
  Parts parts = 0;
  while (!include.empty()) {
    const auto name = include.substr(0, include.find(','));
    include.remove_prefix(std::min(name.size() + 1, include.size()));
    const auto found = std::ranges::find(kParts, name, &Part::name);
    if (found == kParts.end()) return UnknownPart{std::string(name)};
    parts = static_cast<Parts>(parts | 1 << (found - kParts.begin()));
  }
  return parts;
}

std::string known_parts() {
  std::string names;
  for (const auto& part : kParts) names.append(names.empty() ? "" : ", ").append(part.name);
  return names;
}

void append_record(std::string& out, std::string_view contact, const std::vector<PartAnswer>& parts) {
  out += "{\"contact\":";
  out += contact;
  std::string problems = "{";
  for (const auto& answer : parts) {
    const auto value = value_of(answer);
    std::string& into = value ? out : problems;
    append_name(into, kParts[answer.part].name);
    if (value)
      into.append(*value);
    else
      append_problem(into, answer.status, answer.body);
  }
  if (problems.size() == 1) return;
  append_name(out, "problems");
  out.append(problems).append("}");
}

bool is_whole(const std::vector<PartAnswer>& parts) {
  return std::ranges::all_of(parts, [](const auto& part) { return value_of(part).has_value(); });
}

}  // namespace policies
