#include "tests/simulator/validation.h"

#include "tests/simulator/call.h"
#include "tests/simulator/contact.h"

namespace simulator {

namespace {

constexpr Rule kContact[] = {
    {"firstName", Shape::Nullable},   {"lastName", Shape::Nullable},   {"name", Shape::Nullable},
    {"email", Shape::Email},          {"gender", Shape::String},       {"phone", Shape::Nullable},
    {"address1", Shape::Nullable},    {"city", Shape::Nullable},       {"state", Shape::Nullable},
    {"postalCode", Shape::String},    {"website", Shape::Nullable},    {"timezone", Shape::Nullable},
    {"dnd", Shape::Boolean},          {"tags", Shape::Strings},        {"dndSettings", Shape::DndSettings},
    {"source", Shape::Nullable},      {"country", Shape::String},      {"inboundDndSettings", Shape::InboundDnd},
    {"companyName", Shape::Nullable}, {"assignedTo", Shape::Nullable}, {"customFields", Shape::CustomFields}};
constexpr Rule kLocation[] = {{"locationId", Shape::String, true}};
constexpr Rule kNewTask[] = {{"title", Shape::String, true},
                             {"body", Shape::String},
                             {"dueDate", Shape::Date, true},
                             {"completed", Shape::Boolean, true},
                             {"assignedTo", Shape::Nullable}};
constexpr Rule kTask[] = {{"title", Shape::String},
                          {"body", Shape::String},
                          {"dueDate", Shape::Date},
                          {"completed", Shape::Boolean},
                          {"assignedTo", Shape::Nullable}};
constexpr Rule kTaskStatus[] = {{"completed", Shape::Boolean, true}};
constexpr Rule kNewNote[] = {{"body", Shape::String, true},
                             {"userId", Shape::String},
                             {"title", Shape::String},
                             {"color", Shape::String},
                             {"pinned", Shape::Boolean}};
constexpr Rule kNote[] = {{"body", Shape::String},
                          {"userId", Shape::String},
                          {"title", Shape::String},
                          {"color", Shape::String},
                          {"pinned", Shape::Boolean}};
constexpr Rule kTags[] = {{"tags", Shape::Strings, true}};
constexpr Rule kFollowers[] = {{"followers", Shape::Strings, true}};
constexpr Rule kBulkTags[] = {{"contacts", Shape::Strings, true},
                              {"tags", Shape::Strings, true},
                              {"locationId", Shape::String, true},
                              {"removeAllTags", Shape::Boolean}};
constexpr Rule kBulkBusiness[] = {
    {"locationId", Shape::String, true}, {"ids", Shape::Strings, true}, {"businessId", Shape::Nullable}};
constexpr Rule kWorkflow[] = {{"eventStartTime", Shape::Date}};

std::span<const Rule> rules(Body kind) {
  switch (kind) {
    case Body::None:
      return {};
    case Body::Contact:
    case Body::NewContact:
      return kContact;
    case Body::Task:
      return kTask;
    case Body::NewTask:
      return kNewTask;
    case Body::TaskStatus:
      return kTaskStatus;
    case Body::NewNote:
      return kNewNote;
    case Body::Note:
      return kNote;
    case Body::Tags:
      return kTags;
    case Body::Followers:
      return kFollowers;
    case Body::BulkTags:
      return kBulkTags;
    case Body::BulkBusiness:
      return kBulkBusiness;
    case Body::Workflow:
      return kWorkflow;
  }
  return {};
}

bool looks_like_email(std::string_view text) {
  const auto at = text.find('@');
  if (at == 0 || at == std::string_view::npos || text.find('@', at + 1) != std::string_view::npos) return false;
  const std::string_view domain = text.substr(at + 1);
  const auto dot = domain.find('.');
  return dot != 0 && dot != std::string_view::npos && domain.back() != '.' && text.find(' ') == std::string_view::npos;
}

void check_status(const std::string& path, const Value& setting, std::vector<std::string>& out) {
  const auto status = string_member(setting, "status");
  if (status != "active" && status != "inactive" && status != "permanent") {
    out.push_back(path + ".status must be one of the following values: active, inactive, permanent");
  }
}

void check_dnd(const Rule& rule, const Value& value, std::vector<std::string>& out) {
  if (!value.IsObject()) {
    out.push_back(std::string(rule.name) + " must be an object");
    return;
  }
  for (const auto& channel : value.GetObject()) {
    check_status(std::string(rule.name) + "." + std::string(view(channel.name)), channel.value, out);
  }
}

void check_custom_fields(const Value& value, std::vector<std::string>& out) {
  if (!value.IsArray()) {
    out.emplace_back("customFields must be an array");
    return;
  }
  std::size_t position = 0;
  for (const Value& field : value.GetArray()) {
    if (!string_member(field, "id") && !string_member(field, "key")) {
      out.push_back("customFields." + std::to_string(position) + ".id must be a string");
    }
    ++position;
  }
}

void check_strings(const Rule& rule, const Value& value, std::vector<std::string>& out) {
  const std::string name = rule.name;
  if (!value.IsArray()) {
    out.push_back(name + " must be an array");
    return;
  }
  if (rule.required && value.Empty()) out.push_back(name + " should not be empty");
  for (const Value& item : value.GetArray()) {
    if (item.IsString()) continue;
    out.push_back("each value in " + name + " must be a string");
    return;
  }
}

void check_text(const Rule& rule, const Value& value, std::vector<std::string>& out) {
  const std::string name = rule.name;
  if (!value.IsString())
    out.push_back(name + " must be a string");
  else if (rule.required && value.GetStringLength() == 0)
    out.push_back(name + " should not be empty");
  else if (rule.shape == Shape::Email && value.GetStringLength() > 0 && !looks_like_email(view(value))) {
    out.push_back(name + " must be an email");
  } else if (rule.shape == Shape::Date && !looks_like_date(view(value))) {
    out.push_back(name + " must be a valid ISO 8601 date string");
  }
}

void check(const Rule& rule, const Value& value, std::vector<std::string>& out) {
  switch (rule.shape) {
    case Shape::Nullable:
    case Shape::Email:
      if (!value.IsNull()) check_text(rule, value, out);
      break;
    case Shape::String:
    case Shape::Date:
      check_text(rule, value, out);
      break;
    case Shape::Boolean:
      if (!value.IsBool()) out.push_back(std::string(rule.name) + " must be a boolean value");
      break;
    case Shape::Number:
      if (!value.IsNumber()) out.push_back(std::string(rule.name) + " must be a number");
      break;
    case Shape::Object:
      if (!value.IsObject()) out.push_back(std::string(rule.name) + " must be an object");
      break;
    case Shape::Objects:
      if (!value.IsArray()) out.push_back(std::string(rule.name) + " must be an array");
      break;
    case Shape::Strings:
      check_strings(rule, value, out);
      break;
    case Shape::DndSettings:
    case Shape::InboundDnd:
      check_dnd(rule, value, out);
      break;
    case Shape::CustomFields:
      check_custom_fields(value, out);
      break;
  }
}

void check_all(std::span<const Rule> all, const Value& body, std::vector<std::string>& out) {
  for (const Rule& rule : all) {
    const auto found = body.FindMember(rule.name);
    if (found != body.MemberEnd())
      check(rule, found->value, out);
    else if (rule.required)
      out.push_back(std::string(rule.name) + " should not be empty");
  }
}

}  // namespace

std::vector<std::string> complaints(std::span<const Rule> all, const Value& body) {
  if (!body.IsObject()) return {"body must be an object"};
  std::vector<std::string> out;
  check_all(all, body, out);
  return out;
}

std::vector<std::string> complaints(Body kind, const Value& body) {
  std::vector<std::string> out;
  if (kind == Body::None) return out;
  if (!body.IsObject()) return {"body must be an object"};
  if (kind == Body::NewContact) check_all(kLocation, body, out);
  check_all(rules(kind), body, out);
  if (kind == Body::BulkBusiness && !body.HasMember("businessId")) {
    out.emplace_back("businessId must be a string or null");
  }
  return out;
}

}  // namespace simulator
