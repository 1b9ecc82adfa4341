#include <rapidjson/document.h>
#include <rapidjson/schema.h>
#include <rapidjson/stringbuffer.h>

#include <algorithm>
#include <charconv>
#include <cstring>

#include "policies/flows/flow.h"

namespace embedded {
extern const char flow_schema[];
}

namespace policies::flows {

namespace {

constexpr unsigned kFlags = rapidjson::kParseIterativeFlag | rapidjson::kParseCommentsFlag |
                            rapidjson::kParseTrailingCommasFlag | rapidjson::kParseValidateEncodingFlag;

const rapidjson::SchemaDocument& schema() {
  static const rapidjson::SchemaDocument compiled = [] {
    rapidjson::Document document;
    document.Parse<kFlags>(embedded::flow_schema);
    return rapidjson::SchemaDocument(document);
  }();
  return compiled;
}

// "/do/0/body" as "do[0].body", and the value there.
struct Place {
  const Json* value;
  std::string field;
};
Place place_of(std::string_view pointer, const Json& json) {
  Place place{&json, {}};
  while (pointer.starts_with('/')) {
    pointer.remove_prefix(1);
    const std::string part(pointer.substr(0, pointer.find('/')));
    pointer.remove_prefix(part.size());
    if (const auto* items = place.value->as<Array>()) {
      std::size_t index = 0;
      std::from_chars(part.data(), part.data() + part.size(), index);
      place.field += "[" + part + "]";
      if (index < items->size()) place.value = &(*items)[index];
    } else {
      place.field += (place.field.empty() ? "" : ".") + part;
      if (const auto* member = place.value->find(part)) place.value = member;
    }
  }
  return place;
}

const rapidjson::Value* rule_at(std::string_view pointer) {
  static const rapidjson::Document document = [] {
    rapidjson::Document parsed;
    parsed.Parse<kFlags>(embedded::flow_schema);
    return parsed;
  }();
  return rapidjson::Pointer(pointer.data(), pointer.size()).Get(document);
}

std::string names_of(const rapidjson::Value& members) {
  std::string all;
  for (const auto& [name, value] : members.GetObject()) all.append(all.empty() ? "" : ", ").append(name.GetString());
  return all;
}

// RapidJSON tells the keyword and the two places; the words are ours.
Problem problem_of(std::string_view keyword, const rapidjson::Value* rule, Place place) {
  Problem problem{place.value->line, place.field, "is not as the schema says (" + std::string(keyword) + ")"};
  if (rule == nullptr || !rule->IsObject()) return problem;
  const auto member = rule->FindMember(std::string(keyword).c_str());
  const auto within = [&](const std::string& name) { return place.field.empty() ? name : place.field + "." + name; };
  if (keyword == "required") {
    for (const auto& name : member->value.GetArray())
      if (place.value->find(name.GetString()) == nullptr)
        return {place.value->line, within(name.GetString()), "is missing"};
  } else if (keyword == "additionalProperties") {
    problem.what = "unknown; there are " + names_of((*rule)["properties"]);  // the place is the member's own
  } else if (keyword == "type") {
    problem.what = std::string("expected ") + (member->value.IsString() ? member->value.GetString() : "another type");
  } else if (keyword == "pattern") {
    problem.what = std::string("expected ") + member->value.GetString();
  } else if (keyword.starts_with("min") || keyword.starts_with("max")) {
    problem.what = "expected " + std::string(keyword.starts_with("min") ? "at least " : "at most ") +
                   std::to_string(member->value.GetInt());
  }
  return problem;
}

}  // namespace

std::string_view flow_schema() { return {embedded::flow_schema, std::strlen(embedded::flow_schema)}; }

std::optional<Problem> schema_problem(std::string_view text, const Json& json) {
  rapidjson::Document document;
  document.Parse<kFlags>(text.data(), text.size());
  if (document.HasParseError()) return Problem{1, {}, "not JSON"};
  rapidjson::SchemaValidator validator(schema());
  if (document.Accept(validator)) return std::nullopt;
  rapidjson::StringBuffer where, which;
  validator.GetInvalidDocumentPointer().Stringify(where);
  validator.GetInvalidSchemaPointer().Stringify(which);
  return problem_of(validator.GetInvalidSchemaKeyword(), rule_at({which.GetString(), which.GetSize()}),
                    place_of({where.GetString(), where.GetSize()}, json));
}

}  // namespace policies::flows
