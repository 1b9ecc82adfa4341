#include "policies/catalogue_entry.h"

#include <rapidjson/document.h>

#include <algorithm>
#include <charconv>
#include <stdexcept>

namespace policies {

namespace {

using Value = rapidjson::Value;

[[noreturn]] void wrong(const std::string& entry, std::string_view what) {
  throw std::invalid_argument("catalogue: " + entry + ": " + std::string(what));
}

std::string_view view(const Value& value) { return {value.GetString(), value.GetStringLength()}; }

std::string text(const std::string& entry, std::string_view member, const Value& value) {
  if (!value.IsString() || value.GetStringLength() == 0) wrong(entry, std::string(member) + " must be a string");
  return std::string(view(value));
}

std::vector<std::string> texts(const std::string& entry, std::string_view member, const Value& value) {
  if (!value.IsArray()) wrong(entry, std::string(member) + " must be a list of strings");
  std::vector<std::string> all;
  for (const auto& each : value.GetArray()) all.push_back(text(entry, member, each));
  return all;
}

std::chrono::milliseconds duration(const std::string& entry, std::string_view member, const Value& value) {
  const std::string written = text(entry, member, value);
  std::int64_t count = 0;
  const auto [end, error] = std::from_chars(written.data(), written.data() + written.size(), count);
  const std::string_view unit(end, static_cast<std::size_t>(written.data() + written.size() - end));
  if (error == std::errc{} && count >= 0 && count <= 1'000'000) {
    if (unit == "ms") return std::chrono::milliseconds(count);
    if (unit == "s") return std::chrono::seconds(count);
    if (unit == "m") return std::chrono::minutes(count);
    if (unit == "h") return std::chrono::hours(count);
  }
  wrong(entry, std::string(member) + " must be a duration such as 250ms, 30s, 5m or 24h");
}

Kind kind(const std::string& entry, const Value& value) {
  const std::string written = text(entry, "kind", value);
  for (const Kind each : {Kind::Read, Kind::Write, Kind::Search})
    if (written == to_string(each)) return each;
  wrong(entry, "kind must be read, write or search");
}

InDoubt in_doubt(const std::string& entry, const Value& value) {
  const std::string written = text(entry, "in_doubt", value);
  for (const InDoubt each : {InDoubt::Refuse, InDoubt::SendAgain})
    if (written == to_string(each)) return each;
  wrong(entry, "in_doubt must be refuse or send-again");
}

void set_times(const std::string& entry, std::string_view member, const Value& value, Operation& operation) {
  if (member == "fresh")
    operation.times.fresh = duration(entry, member, value);
  else if (member == "stale_while_revalidate")
    operation.times.stale_while_revalidate = duration(entry, member, value);
  else if (member == "stale_if_error")
    operation.times.stale_if_error = duration(entry, member, value);
  else if (member == "settle")
    operation.times.settle = duration(entry, member, value);
  else
    wrong(entry, "has an unknown member " + std::string(member));
}

void set_member(const std::string& entry, std::string_view member, const Value& value, Operation& operation) {
  if (member == "name")
    operation.name = text(entry, member, value);
  else if (member == "method")
    operation.method = text(entry, member, value);
  else if (member == "path")
    operation.path = text(entry, member, value);
  else if (member == "aliases")
    operation.aliases = texts(entry, member, value);
  else if (member == "scope")
    operation.scope = text(entry, member, value);
  else if (member == "kind")
    operation.kind = kind(entry, value);
  else if (member == "in_doubt")
    operation.in_doubt = in_doubt(entry, value);
  else if (member == "keys")
    operation.keys = texts(entry, member, value);
  else if (member == "keys_if_unknown")
    operation.keys_if_unknown = texts(entry, member, value);
  else if (member == "names")
    operation.names = texts(entry, member, value);
  else if (member == "location_parameter")
    operation.location_parameter = text(entry, member, value);
  else if (member == "why")
    text(entry, member, value);
  else if (member == "company" && value.IsBool())
    operation.company = value.GetBool();
  else if (member == "idempotent" && value.IsBool())
    operation.idempotent = value.GetBool();
  else
    set_times(entry, member, value, operation);
}

std::vector<std::string> names_in_braces(std::string_view written) {
  std::vector<std::string> names;
  for (std::size_t open = written.find('{'); open != std::string_view::npos; open = written.find('{', open + 1)) {
    const std::size_t close = written.find('}', open);
    if (close == std::string_view::npos) break;
    names.emplace_back(written.substr(open + 1, close - open - 1));
  }
  return names;
}

// One key for all of a kind ("users"), or that of every location.
bool is_whole_key(std::string_view key) {
  return key.find_first_of("{}:") == std::string_view::npos || key.starts_with("location:*");
}

void check_key(const Operation& operation, const std::string& key) {
  if (is_whole_key(key)) return;
  const auto names = names_in_braces(key);
  if (names.size() != 1) wrong(operation.name, "key " + key + " must have one {name}");
  const std::string& name = names.front();
  const bool known = name == "locationId" || name.starts_with("query.") || name.starts_with("body.") ||
                     name.starts_with("answer.") ||
                     std::ranges::find(operation.parameter_names, name) != operation.parameter_names.end();
  if (!known) wrong(operation.name, "key " + key + " names no path or query parameter, body or answer member");
}

void check(Operation& operation) {
  operation.own = operation.resource == "gateway";
  if (operation.name.empty() || operation.method.empty() || operation.keys.empty() != operation.own)
    wrong(operation.name, "needs name, method, path, scope, kind and keys");
  if (!operation.path.starts_with('/') || operation.scope.empty()) wrong(operation.name, "needs a path and a scope");
  operation.parameter_names = names_in_braces(operation.path);
  if (operation.parameter_names.size() > Match::kMaxParameters) wrong(operation.name, "has too many path parameters");
  for (const auto& alias : operation.aliases)
    if (names_in_braces(alias) != operation.parameter_names)
      wrong(operation.name, "has an alias with other parameters");
  for (const auto& key : operation.keys) check_key(operation, key);
  for (const auto& key : operation.keys_if_unknown) check_key(operation, key);
  for (const auto& record : operation.names) check_key(operation, record);
}

void check_keys(const std::string& entry, const std::vector<std::string>& keys) {
  for (const auto& key : keys)
    if (!is_whole_key(key) &&
        (std::ranges::count(key, '{') != 1 || std::ranges::count(key, '}') != 1 || key.find('{') > key.find('}')))
      wrong(entry, "key " + key + " must have one {name}");
}

Trigger parse_trigger(const std::string& place, const Value& entry) {
  if (!entry.IsObject()) wrong(place, "must be an object");
  Trigger trigger;
  for (const auto& member : entry.GetObject()) {
    const auto name = view(member.name);
    if (name == "name")
      trigger.name = text(place, name, member.value);
    else if (name == "types")
      trigger.types = texts(place, name, member.value);
    else if (name == "keys")
      trigger.keys = texts(place, name, member.value);
    else if (name == "keys_if_unknown")
      trigger.keys_if_unknown = texts(place, name, member.value);
    else if (name == "settle")
      trigger.settle = duration(place, name, member.value);
    else if (name != "why")
      wrong(place, "has an unknown member " + std::string(name));
  }
  if (trigger.name.empty()) wrong(place, "needs a name");
  if (trigger.types.empty()) trigger.types = {trigger.name};
  check_keys(trigger.name, trigger.keys);
  check_keys(trigger.name, trigger.keys_if_unknown);
  return trigger;
}

}  // namespace

std::string_view parameter_of(std::string_view segment) {
  if (segment.size() < 3 || segment.front() != '{' || segment.back() != '}') return {};
  return segment.substr(1, segment.size() - 2);
}

std::vector<Operation> parse_catalogue(std::string_view json) {
  rapidjson::Document document;
  document.Parse<rapidjson::kParseIterativeFlag>(json.data(), json.size());
  if (document.HasParseError() || !document.IsObject() || !document.HasMember("resource") ||
      !document.HasMember("operations") || !document["operations"].IsArray())
    wrong("file", R"(must be {"resource": …, "operations": […]})");
  const std::string resource = text("file", "resource", document["resource"]);
  std::vector<Operation> operations;
  for (const auto& entry : document["operations"].GetArray()) {
    const std::string place = resource + " entry " + std::to_string(operations.size() + 1);
    if (!entry.IsObject()) wrong(place, "must be an object");
    Operation operation;
    for (const auto& member : entry.GetObject()) set_member(place, view(member.name), member.value, operation);
    operation.resource = resource;
    check(operation);
    operations.push_back(std::move(operation));
  }
  return operations;
}

std::vector<Trigger> parse_triggers(std::string_view json) {
  rapidjson::Document document;
  document.Parse<rapidjson::kParseIterativeFlag>(json.data(), json.size());
  if (document.HasParseError() || !document.IsObject() || !document.HasMember("triggers") ||
      !document["triggers"].IsArray())
    wrong("events file", R"(must be {"triggers": […]})");
  std::vector<Trigger> triggers;
  for (const auto& entry : document["triggers"].GetArray())
    triggers.push_back(parse_trigger("event " + std::to_string(triggers.size() + 1), entry));
  return triggers;
}

}  // namespace policies
