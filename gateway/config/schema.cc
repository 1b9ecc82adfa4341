#include "gateway/config/schema.h"

#include <rapidjson/pointer.h>
#include <rapidjson/prettywriter.h>
#include <rapidjson/schema.h>
#include <rapidjson/stringbuffer.h>

#include <algorithm>

namespace gateway::config {

namespace {

using Parts = std::vector<std::string_view>;

class SchemaWriter {
 public:
  SchemaWriter() { writer_.SetIndent(' ', 2); }

  std::string text() {
    writer_.StartObject();
    pair("$schema", "http://json-schema.org/draft-04/schema#");
    pair("title", "Settings of contacts-gateway");
    section({});
    writer_.EndObject();
    return std::string(buffer_.GetString(), buffer_.GetSize()) + "\n";
  }

 private:
  void key(std::string_view name) { writer_.Key(name.data(), static_cast<rapidjson::SizeType>(name.size())); }
  void string(std::string_view text) { writer_.String(text.data(), static_cast<rapidjson::SizeType>(text.size())); }
  void pair(std::string_view name, std::string_view text) { key(name), string(text); }

  // The next parts below `above`, in the table's order.
  static Parts below(const Parts& above) {
    Parts names;
    for (const Setting& setting : table()) {
      const Parts parts = split_path(setting.path);
      if (parts.size() > above.size() && std::equal(above.begin(), above.end(), parts.begin()) &&
          std::find(names.begin(), names.end(), parts[above.size()]) == names.end())
        names.push_back(parts[above.size()]);
    }
    return names;
  }

  static const Setting* leaf(const Parts& path) {
    for (const Setting& setting : table())
      if (split_path(setting.path) == path) return &setting;
    return nullptr;
  }

  void section(const Parts& above) {
    pair("type", "object");
    Parts names = below(above);
    const bool own_names = names.size() == 1 && names.front().starts_with('<');
    key(own_names ? "additionalProperties" : "properties");
    if (!own_names) writer_.StartObject();
    for (std::string_view name : names) {
      Parts path = above;
      path.push_back(name);
      if (!own_names) key(name);
      member(path);
    }
    if (own_names) return;
    writer_.EndObject();
    key("additionalProperties"), writer_.Bool(false);
  }

  void member(const Parts& path) {
    const Setting* setting = leaf(path);
    writer_.StartObject();
    if (setting)
      describe(*setting, path);
    else
      section(path);
    writer_.EndObject();
    if (setting && setting->has_file_form()) {
      key(std::string(path.back()) + "_file");
      writer_.StartObject();
      pair("description", "File that holds `" + std::string(path.back()) + "`");
      pair("type", "string");
      writer_.EndObject();
    }
  }

  void describe(const Setting& setting, const Parts& path) {
    pair("description", setting.doc);
    if (!setting.fallback.empty()) pair("x-default", setting.fallback);
    switch (setting.type) {
      case Type::Switch:
        return pair("type", "boolean");
      case Type::Count:
        return pair("type", "integer"), limits(setting);
      case Type::Rate:
        return rate(setting);
      case Type::Bytes:
        return bytes(setting);
      case Type::Duration:
        return text("^[0-9]+(ms|s|m|h|d)$");
      case Type::Percent:
        return text("^[0-9]+([.][0-9]+)?%$");
      case Type::Address:
        return text("^(unix:.+|[0-9.]+:[0-9]+|\\[[0-9a-fA-F:.]+\\]:[0-9]+)$");
      case Type::HttpUrl:
        return text("^https?://[^?#@ ]+$");
      case Type::RedisUrl:
        return text("^redis([+]sentinel)?://.+$");
      case Type::KeyHash:
        return text("^sha256:[0-9a-f]+:[0-9a-f]+$");
      case Type::Choice:
        return choices(setting);
      case Type::ChoiceList:
        return choice_list(setting);
      case Type::TextList:
        return text_list();
      case Type::List:
        return list(path);
      case Type::Text:
      case Type::Path:
        break;
    }
    pair("type", "string");
    key("minLength"), writer_.Uint(1);
  }

  void limits(const Setting& setting) {
    key("minimum"), writer_.Uint64(setting.least);
    key("maximum"), writer_.Uint64(setting.most);
  }

  void text(std::string_view pattern) { pair("type", "string"), pair("pattern", pattern); }

  void rate(const Setting& setting) {
    pair("type", "number");
    key("minimum"), writer_.Uint(0);
    key("exclusiveMinimum"), writer_.Bool(true);
    key("maximum"), writer_.Uint64(setting.most);
  }

  void bytes(const Setting& setting) {
    key("anyOf");
    writer_.StartArray();
    writer_.StartObject(), pair("type", "integer"), limits(setting), writer_.EndObject();
    writer_.StartObject(), text("^[0-9]+(B|KiB|MiB|GiB|TiB)?$"), writer_.EndObject();
    writer_.EndArray();
  }

  void choices(const Setting& setting) {
    key("enum");
    writer_.StartArray();
    for (std::string_view rest = setting.choices; !rest.empty();) {
      const std::size_t end = std::min(rest.find('|'), rest.size());
      string(rest.substr(0, end));
      rest.remove_prefix(std::min(end + 1, rest.size()));
    }
    writer_.EndArray();
  }

  void choice_list(const Setting& setting) {
    pair("type", "array");
    key("items");
    writer_.StartObject(), choices(setting), writer_.EndObject();
  }

  void text_list() {
    key("anyOf");
    writer_.StartArray();
    writer_.StartObject(), pair("type", "string"), writer_.EndObject();
    writer_.StartObject(), pair("type", "array"), key("items"), writer_.StartObject(), pair("type", "string"),
        writer_.EndObject(), writer_.EndObject();
    writer_.EndArray();
  }

  void list(Parts path) {
    pair("type", "array");
    key("items");
    path.emplace_back("[]");
    writer_.StartObject(), section(path), writer_.EndObject();
  }

  rapidjson::StringBuffer buffer_;
  rapidjson::PrettyWriter<rapidjson::StringBuffer> writer_{buffer_};
};

// "/clients/0/name" -> "clients[0].name"
std::string member_path(const rapidjson::Pointer& pointer) {
  std::string path;
  for (std::size_t i = 0; i < pointer.GetTokenCount(); ++i) {
    const auto& token = pointer.GetTokens()[i];
    if (token.index != rapidjson::kPointerInvalidIndex)
      path.append("[").append(std::to_string(token.index)).append("]");
    else
      path.append(path.empty() ? "" : ".").append(token.name, token.length);
  }
  return path;
}

}  // namespace

std::string schema_text() { return SchemaWriter().text(); }

std::string check_schema(const JsonText& json) {
  rapidjson::Document schema;
  schema.Parse(embedded::config_schema);
  const rapidjson::SchemaDocument compiled(schema);
  rapidjson::SchemaValidator validator(compiled);
  if (json.document->Accept(validator)) return {};
  const std::string path = member_path(validator.GetInvalidDocumentPointer());
  const auto at = json.positions->find(path);
  return (at == json.positions->end() ? "" : at->second + ": ") + (path.empty() ? "the file" : path) +
         " does not fit the settings' schema (" + validator.GetInvalidSchemaKeyword() + ")";
}

std::string markdown_table() {
  std::string text = "| setting | default | |\n| --- | --- | --- |\n";
  for (const Setting& setting : table()) {
    text += "| `" + std::string(setting.path) + "` | " +
            (setting.fallback.empty() ? "none" : "`" + std::string(setting.fallback) + "`") + " | " +
            std::string(setting.doc);
    if (!setting.choices.empty()) {
      std::string words(setting.choices);
      for (std::size_t at = 0; (at = words.find('|', at)) != std::string::npos; at += 4) words.replace(at, 1, "`, `");
      text += " (`" + words + "`)";
    }
    if (setting.secret) text += " (secret)";
    text += " |\n";
  }
  return text;
}

}  // namespace gateway::config
