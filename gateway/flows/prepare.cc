#include "gateway/flows/prepare.h"

#include <algorithm>

#include "policies/percent.h"

namespace gateway::flows {

using policies::flows::Array;
using policies::flows::Json;
using policies::flows::Mapping;
using policies::flows::MappingError;
using policies::flows::Number;
using policies::flows::Object;
using policies::flows::Step;

namespace {

struct Skip {};
struct Wrong {
  MappingError error;
};

std::optional<Json> value_of(const Mapping& mapping, const Json& known) {
  auto result = mapping.evaluate(known);
  if (auto* error = std::get_if<MappingError>(&result)) throw Wrong{std::move(*error)};
  if (std::holds_alternative<Mapping::Skipped>(result)) throw Skip{};
  return std::get<std::optional<Json>>(std::move(result));
}

// A number or a text as one word of a path or query.
std::string word_of(const Json& value, const std::string& field) {
  std::string word;
  if (const auto* text = value.as<std::string>())
    policies::append_word(word, *text);
  else if (const auto* number = value.as<Number>())
    policies::append_word(word, number->text);
  else if (const auto* on = value.as<bool>())
    word = *on ? "true" : "false";
  if (word.empty()) throw Wrong{{field, "is missing or no text"}};
  return word;
}

std::string path_of(const std::string& path, const Step& step, const Json& known) {
  std::string target = path;
  for (const auto& [name, mapping] : step.path) {
    const auto value = value_of(mapping, known);
    const auto word = word_of(value.value_or(Json()), "path." + name);
    const std::string parameter = "{" + name + "}";
    if (const auto at = target.find(parameter); at != std::string::npos) target.replace(at, parameter.size(), word);
  }
  return target;
}

std::string query_of(const Step& step, const Json& known) {
  std::string query;
  for (const auto& [name, mapping] : step.query) {
    const auto value = value_of(mapping, known);
    if (!value || value->is_empty()) continue;
    query += query.empty() ? '?' : '&';
    policies::append_word(query, name);
    query += '=' + word_of(*value, "query." + name);
  }
  return query;
}

void mark(Json& body, const policies::flows::Marking& marking, const std::string& ref) {
  auto& members = std::get<Object>(body.value);
  const auto field =
      std::find_if(members.begin(), members.end(), [&](const auto& m) { return m.first == marking.field; });
  if (field == members.end()) {
    members.emplace_back(std::string(marking.field), Json(policies::flows::marked("", ref)));
    return;
  }
  const auto* text = field->second.as<std::string>();
  if (text == nullptr) throw Wrong{{"body." + std::string(marking.field), "is no text"}};
  field->second = Json(policies::flows::marked(*text, ref));
}

std::string body_of(const Step& step, const Json& known, const std::string& ref) {
  if (!step.body) return {};
  auto body = value_of(step.body, known).value_or(Json(Object()));
  if (step.repeat == policies::flows::Repeat::Marked) {
    if (body.as<Object>() == nullptr) throw Wrong{{"body", "is no object"}};
    mark(body, *policies::flows::marking_of(*step.operation), ref);
  }
  return policies::flows::to_text(body);
}

}  // namespace

std::variant<StepRequest, NotNeeded, MappingError> prepare(const Step& step, const Json& known,
                                                           const std::string& location, const std::string& ref) try {
  StepRequest request;
  request.target = path_of(step.operation->path, step, known) + query_of(step, known);
  request.body = body_of(step, known, ref);
  request.location = location;
  if (step.location) {
    const auto own = value_of(step.location, known);
    const auto* text = own ? own->as<std::string>() : nullptr;
    if (text == nullptr || text->empty()) throw Wrong{{"location", "is missing or no text"}};
    request.location = *text;
  }
  return request;
} catch (const Skip&) {
  return NotNeeded{};
} catch (const Wrong& wrong) {
  return wrong.error;
}

std::variant<std::string, MappingError> target_of(const policies::Operation& operation, const Step& step,
                                                  const Json& known) try {
  return path_of(operation.path, step, known);
} catch (const Skip&) {
  return MappingError{"path", "is skipped"};
} catch (const Wrong& wrong) {
  return wrong.error;
}

const Json* find_marked(const Json& answer, const policies::flows::Marking& marking, const std::string& ref) {
  const auto* list = answer.find(marking.member);
  const auto* items = list != nullptr ? list->as<Array>() : nullptr;
  if (items == nullptr) return nullptr;
  const std::string wanted = "ref " + ref;
  for (const auto& item : *items) {
    const auto* field = item.find(marking.field);
    const auto* text = field != nullptr ? field->as<std::string>() : nullptr;
    if (text == nullptr) continue;
    for (auto at = text->find(wanted); at != std::string::npos; at = text->find(wanted, at + 1)) {
      // The ref of another step may begin with this one.
      const char after = at + wanted.size() < text->size() ? (*text)[at + wanted.size()] : '\n';
      const bool goes_on =
          (after >= 'a' && after <= 'z') || (after >= '0' && after <= '9') || after == '-' || after == '_';
      if (!goes_on) return &item;
    }
  }
  return nullptr;
}

}  // namespace gateway::flows
