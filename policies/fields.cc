#include "policies/fields.h"

#include <algorithm>

namespace policies {

namespace {
char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + ('a' - 'A')) : c; }
}  // namespace

bool same_letters(std::string_view a, std::string_view b) {
  return std::equal(a.begin(), a.end(), b.begin(), [](char x, char y) { return x == y || lower(x) == lower(y); });
}

std::optional<std::string_view> find_field(FieldsView fields, std::string_view name) {
  for (const auto& field : fields)
    if (same_name(field.name, name)) return field.value;
  return std::nullopt;
}

std::optional<std::string> combined_field(FieldsView fields, std::string_view name) {
  std::optional<std::string> all;
  for (const auto& field : fields) {
    if (!same_name(field.name, name)) continue;
    if (all)
      all->append(", ").append(field.value);
    else
      all.emplace(field.value);
  }
  return all;
}

Fields::Fields(FieldsView fields) {
  fields_.reserve(fields.size());
  for (const auto& field : fields) fields_.push_back({std::string(field.name), std::string(field.value)});
}

void Fields::remove(std::string_view name) {
  std::erase_if(fields_, [&](const Field& field) { return same_name(field.name, name); });
}

void Fields::set(std::string_view name, std::string value) {
  remove(name);
  fields_.push_back({std::string(name), std::move(value)});
}

std::optional<std::string_view> Fields::find(std::string_view name) const {
  for (const auto& field : fields_)
    if (same_name(field.name, name)) return field.value;
  return std::nullopt;
}

std::vector<FieldView> Fields::view() const {
  std::vector<FieldView> views;
  views.reserve(fields_.size());
  for (const auto& field : fields_) views.push_back({field.name, field.value});
  return views;
}

}  // namespace policies
