#include "policies/query.h"

#include <algorithm>

#include "policies/fields.h"
#include "policies/percent.h"

namespace policies {

void for_each_parameter(std::string_view query, const std::function<void(std::string_view, std::string_view)>& visit) {
  while (!query.empty()) {
    const auto pair = query.substr(0, query.find('&'));
    query.remove_prefix(std::min(pair.size() + 1, query.size()));
    const auto equals = std::min(pair.find('='), pair.size());
    std::string name, value;
    append_decoded(name, pair.substr(0, equals), true);
    append_decoded(value, pair.substr(std::min(equals + 1, pair.size())), true);
    if (!pair.empty()) visit(name, value);
  }
}

Naming naming_of(std::string_view name, std::string_view wanted) {
  if (wanted.empty()) return Naming::No;
  if (name == wanted) return Naming::Exactly;
  const bool bracketed = name.starts_with('[');
  if (bracketed) name.remove_prefix(1);
  if (name.size() < wanted.size() || !same_letters(name.substr(0, wanted.size()), wanted)) return Naming::No;
  auto rest = name.substr(wanted.size());
  if (bracketed && !rest.starts_with(']')) return Naming::No;
  if (bracketed) rest.remove_prefix(1);
  if (rest.empty()) return Naming::Otherwise;
  if (rest.front() != '[') return bracketed ? Naming::Object : Naming::No;
  return rest.find_first_not_of("[]0123456789") == std::string_view::npos ? Naming::Otherwise : Naming::Object;
}

std::optional<std::string> query_parameter(std::string_view query, std::string_view name) {
  std::optional<std::string> found;
  for_each_parameter(query, [&](std::string_view each, std::string_view value) {
    if (each == name && !found) found = value;
  });
  return found;
}

}  // namespace policies
