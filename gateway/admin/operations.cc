#include "gateway/admin/operations.h"

#include <rapidjson/stringbuffer.h>
#include <rapidjson/writer.h>

#include <algorithm>
#include <array>
#include <vector>

namespace gateway::admin {

namespace {

using Json = rapidjson::Writer<rapidjson::StringBuffer>;

void string(Json& json, std::string_view text) {
  json.String(text.data(), static_cast<rapidjson::SizeType>(text.size()));
}

void strings(Json& json, const std::vector<std::string>& texts) {
  json.StartArray();
  for (const auto& text : texts) string(json, text);
  json.EndArray();
}

void write(Json& json, const policies::Trigger& trigger) {
  json.StartObject();
  json.Key("name"), string(json, trigger.name);
  json.Key("types"), strings(json, trigger.types);
  json.Key("keys"), strings(json, trigger.keys);
  json.Key("settle_ms"), json.Int64(trigger.settle.count());
  json.EndObject();
}

void write(Json& json, const policies::Operation& operation) {
  json.StartObject();
  json.Key("name"), string(json, operation.name);
  json.Key("method"), string(json, operation.method);
  json.Key("path"), string(json, operation.path);
  json.Key("aliases"), strings(json, operation.aliases);
  json.Key("resource"), string(json, operation.resource);
  json.Key("kind"), string(json, policies::to_string(operation.kind));
  json.Key("scope"), string(json, operation.scope);
  json.Key("idempotent"), json.Bool(operation.idempotent);
  json.Key("company"), json.Bool(operation.company);
  json.Key("keys"), strings(json, operation.keys);
  json.Key("keys_if_unknown"), strings(json, operation.keys_if_unknown);
  json.Key("fresh_ms"), json.Int64(operation.times.fresh.count());
  json.Key("stale_while_revalidate_ms"), json.Int64(operation.times.stale_while_revalidate.count());
  json.Key("stale_if_error_ms"), json.Int64(operation.times.stale_if_error.count());
  json.Key("settle_ms"), json.Int64(operation.times.settle.count());
  json.EndObject();
}

std::string seconds(std::chrono::milliseconds time) {
  if (time.count() == 0) return "-";
  return time.count() % 1000 == 0 ? std::to_string(time.count() / 1000) + "s" : std::to_string(time.count()) + "ms";
}

std::string joined(const std::vector<std::string>& texts) {
  std::string all;
  for (const auto& text : texts) all.append(all.empty() ? "" : " ").append(text);
  return all.empty() ? "-" : all;
}

using Row = std::array<std::string, 7>;

Row row(const policies::Operation& operation) {
  const bool write = operation.kind == policies::Kind::Write;
  return {operation.name,
          operation.method,
          operation.path,
          std::string(policies::to_string(operation.kind)),
          operation.scope,
          write ? "settle " + seconds(operation.times.settle) : "fresh " + seconds(operation.times.fresh),
          joined(operation.keys)};
}

template <std::size_t Columns>
void append_table(std::string& text, const std::vector<std::array<std::string, Columns>>& rows) {
  std::array<std::size_t, Columns> widths{};
  for (const auto& line : rows)
    for (std::size_t i = 0; i < line.size(); ++i) widths[i] = std::max(widths[i], line[i].size());
  for (const auto& line : rows) {
    for (std::size_t i = 0; i + 1 < line.size(); ++i) text.append(line[i]).append(widths[i] + 2 - line[i].size(), ' ');
    text.append(line.back()).append("\n");
  }
}

}  // namespace

std::string operations_json(const policies::Catalogue& catalogue, const policies::Catalogue& own,
                            const policies::Triggers& triggers) {
  rapidjson::StringBuffer buffer;
  Json json(buffer);
  json.StartObject();
  json.Key("operations"), json.StartArray();
  for (const auto& operation : catalogue.operations()) write(json, operation);
  json.EndArray();
  json.Key("own"), json.StartArray();
  for (const auto& path : own.operations()) write(json, path);
  json.EndArray();
  json.Key("triggers"), json.StartArray();
  for (const auto& trigger : triggers.all()) write(json, trigger);
  json.EndArray();
  json.EndObject();
  return std::string(buffer.GetString(), buffer.GetSize()) + "\n";
}

std::string operations_table(const policies::Catalogue& catalogue, const policies::Catalogue& own,
                             const policies::Triggers& triggers) {
  std::vector<Row> rows{{"NAME", "METHOD", "PATH", "KIND", "SCOPE", "TIMES", "DEPENDS ON, OR INVALIDATES"}};
  for (const auto& operation : catalogue.operations()) rows.push_back(row(operation));
  std::string text;
  append_table(text, rows);
  std::vector<std::array<std::string, 4>> own_rows{{"OWN PATH", "METHOD", "PATH", "KIND"}};
  for (const auto& path : own.operations())
    own_rows.push_back({path.name, path.method, path.path, std::string(policies::to_string(path.kind))});
  append_table(text += "\n", own_rows);
  std::vector<std::array<std::string, 3>> events{{"EVENT", "SETTLE", "INVALIDATES"}};
  for (const auto& trigger : triggers.all())
    events.push_back({trigger.name, seconds(trigger.settle), joined(trigger.keys)});
  append_table(text += "\n", events);
  return text;
}

}  // namespace gateway::admin
