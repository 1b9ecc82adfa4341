#include "tests/simulator/search.h"

#include <algorithm>
#include <array>

namespace simulator {

namespace {

constexpr std::size_t kMaxPage = 500;

std::string text_of(const Value& value) {
  if (value.IsString()) return std::string(view(value));
  return value.IsNull() ? std::string() : to_json(value);
}

std::optional<Operator> operator_named(std::string_view name) {
  constexpr std::array<std::pair<std::string_view, Operator>, 8> kNames = {{{"eq", Operator::Eq},
                                                                            {"not_eq", Operator::NotEq},
                                                                            {"contains", Operator::Contains},
                                                                            {"not_contains", Operator::NotContains},
                                                                            {"wildcard", Operator::Wildcard},
                                                                            {"exists", Operator::Exists},
                                                                            {"not_exists", Operator::NotExists},
                                                                            {"range", Operator::Range}}};
  for (const auto& [known, op] : kNames) {
    if (known == name) return op;
  }
  return std::nullopt;
}

void parse_range(const Value& value, Filter& filter) {
  const auto bound = [&](const char* name, std::string& into) {
    if (value.HasMember(name)) into = text_of(value[name]);
  };
  bound("gte", filter.at_least);
  bound("gt", filter.above);
  bound("lte", filter.at_most);
  bound("lt", filter.below);
}

std::string parse_filter(const Value& item, Filter& filter) {
  filter.field = string_member(item, "field").value_or("");
  if (filter.field.empty()) return "each filter must have a field or a group";
  const auto op = operator_named(string_member(item, "operator").value_or(""));
  if (!op) return "unknown operator for the field " + filter.field;
  filter.op = *op;
  if (!item.HasMember("value")) {
    const bool complete = *op == Operator::Exists || *op == Operator::NotExists;
    return complete ? "" : "the filter on " + filter.field + " has no value";
  }
  const Value& value = item["value"];
  if (*op == Operator::Range) {
    if (!value.IsObject()) return "the value of a range must be an object with gt, gte, lt or lte";
    parse_range(value, filter);
  } else if (value.IsArray()) {
    for (const Value& one : value.GetArray()) filter.values.push_back(text_of(one));
  } else {
    filter.values.push_back(text_of(value));
  }
  return "";
}

std::string parse_group(const Value& items, FilterGroup& group) {
  if (!items.IsArray()) return "filters must be an array";
  for (const Value& item : items.GetArray()) {
    if (!item.IsObject()) return "each value in filters must be an object";
    std::string problem;
    if (item.HasMember("group")) {
      FilterGroup inner;
      const auto name = string_member(item, "group");
      if (name != "AND" && name != "OR") return "group must be AND or OR";
      inner.any = name == "OR";
      if (!item.HasMember("filters")) return "a group must have filters";
      problem = parse_group(item["filters"], inner);
      group.parts.emplace_back(std::move(inner));
    } else {
      Filter filter;
      problem = parse_filter(item, filter);
      group.parts.emplace_back(std::move(filter));
    }
    if (!problem.empty()) return problem;
  }
  return "";
}

std::string parse_sort(const Value& items, std::vector<SortKey>& sort) {
  if (!items.IsArray()) return "sort must be an array";
  for (const Value& item : items.GetArray()) {
    const auto field = string_member(item, "field");
    if (!field) return "each value in sort must have a field";
    const std::string direction = string_member(item, "direction").value_or("desc");
    if (direction != "asc" && direction != "desc") return "direction must be asc or desc";
    sort.push_back({*field, direction == "desc"});
  }
  return "";
}

std::string parse_number(const Value& body, const char* name, std::size_t limit, std::size_t& into) {
  if (!body.HasMember(name)) return "";
  const Value& value = body[name];
  if (!value.IsUint() || value.GetUint() < 1) return std::string(name) + " must be a positive number";
  if (value.GetUint() > limit) return std::string(name) + " must not be greater than " + std::to_string(limit);
  into = value.GetUint();
  return "";
}

// Numbers compare by value, anything else as text without case.
int compare(const std::string& a, const std::string& b) {
  const auto numeric = [](const std::string& text) {
    return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
  };
  if (numeric(a) && numeric(b) && a.size() != b.size()) return a.size() < b.size() ? -1 : 1;
  return lower_case(a).compare(lower_case(b));
}

bool contains(const std::string& text, const std::string& part) {
  return lower_case(text).find(lower_case(part)) != std::string::npos;
}

// Greedy matching of '*' with one place to come back to; no recursion.
bool wildcard(const std::string& text, const std::string& pattern) {
  std::size_t t = 0, p = 0, star = std::string::npos, resume = 0;
  while (t < text.size()) {
    if (p < pattern.size() && pattern[p] == '*') {
      star = p++;
      resume = t;
    } else if (p < pattern.size() && pattern[p] == text[t]) {
      ++p, ++t;
    } else if (star != std::string::npos) {
      p = star + 1;
      t = ++resume;
    } else {
      return false;
    }
  }
  return pattern.find_first_not_of('*', p) == std::string::npos;
}

template <typename Test>
bool any_pair(const std::vector<std::string>& have, const std::vector<std::string>& wanted, Test test) {
  for (const std::string& a : have) {
    for (const std::string& b : wanted) {
      if (test(a, b)) return true;
    }
  }
  return false;
}

bool in_range(const Filter& filter, const std::string& value) {
  return (filter.at_least.empty() || compare(value, filter.at_least) >= 0) &&
         (filter.above.empty() || compare(value, filter.above) > 0) &&
         (filter.at_most.empty() || compare(value, filter.at_most) <= 0) &&
         (filter.below.empty() || compare(value, filter.below) < 0);
}

bool matches_filter(const Contact& contact, const Filter& filter) {
  const std::vector<std::string> have = field_values(contact, filter.field);
  const auto equal = [](const std::string& a, const std::string& b) { return compare(a, b) == 0; };
  switch (filter.op) {
    case Operator::Eq:
      return any_pair(have, filter.values, equal);
    case Operator::NotEq:
      return !any_pair(have, filter.values, equal);
    case Operator::Contains:
      return any_pair(have, filter.values, contains);
    case Operator::NotContains:
      return !any_pair(have, filter.values, contains);
    case Operator::Wildcard:
      return any_pair(have, filter.values, [](const std::string& a, const std::string& b) {
        return wildcard(lower_case(a), lower_case(b));
      });
    case Operator::Exists:
      return !have.empty();
    case Operator::NotExists:
      return have.empty();
    case Operator::Range:
      return std::any_of(have.begin(), have.end(), [&](const std::string& value) { return in_range(filter, value); });
  }
  return false;
}

std::vector<SortKey> effective(const std::vector<SortKey>& sort) {
  return sort.empty() ? std::vector<SortKey>{{"dateAdded", true}} : sort;
}

}  // namespace

std::variant<std::string, Search> parse_search(const Value& body) {
  if (!body.IsObject()) return "body must be an object";
  Search search;
  search.location = string_member(body, "locationId").value_or("");
  if (search.location.empty()) return "locationId must be a string";
  search.query = string_member(body, "query").value_or("");
  std::string problem = parse_number(body, "pageLimit", kMaxPage, search.page_limit);
  if (problem.empty()) problem = parse_number(body, "page", 1'000'000, search.page);
  if (problem.empty() && body.HasMember("filters")) problem = parse_group(body["filters"], search.filters);
  if (problem.empty() && body.HasMember("sort")) problem = parse_sort(body["sort"], search.sort);
  if (problem.empty() && body.HasMember("searchAfter")) {
    if (!body["searchAfter"].IsArray()) return "searchAfter must be an array";
    for (const Value& value : body["searchAfter"].GetArray()) search.after.push_back(text_of(value));
    if (!search.after.empty() && search.after.size() != effective(search.sort).size() + 1) {
      return "searchAfter must have a value for each sort field and the id";
    }
  }
  if (!problem.empty()) return problem;
  return search;
}

std::vector<std::string> field_values(const Contact& contact, const std::string& field) {
  for (std::size_t i = 0; i < kTextNames.size(); ++i) {
    if (field == kTextNames[i]) return contact.texts[i] ? std::vector{*contact.texts[i]} : std::vector<std::string>();
  }
  if (field == "id") return {contact.id};
  if (field == "tags") return contact.tags;
  if (field == "followers") return contact.followers;
  if (field == "dnd") return {contact.dnd ? "true" : "false"};
  if (field == "dateAdded") return {std::to_string(contact.added.count())};
  if (field == "dateUpdated") return {std::to_string(contact.updated.count())};
  if (field == "businessId") return contact.business ? std::vector{*contact.business} : std::vector<std::string>();
  for (const CustomField& custom : contact.custom_fields) {
    if (field != "customFields." + custom.id || custom.value == "null") continue;
    const auto parsed = parse_json(custom.value);
    return {parsed ? text_of(*parsed) : custom.value};
  }
  return {};
}

bool matches(const Contact& contact, const FilterGroup& filters) {
  const auto holds = [&](const std::variant<Filter, FilterGroup>& part) {
    if (const auto* filter = std::get_if<Filter>(&part)) return matches_filter(contact, *filter);
    return matches(contact, std::get<FilterGroup>(part));
  };
  const auto& parts = filters.parts;
  if (parts.empty()) return true;
  return filters.any ? std::any_of(parts.begin(), parts.end(), holds) : std::all_of(parts.begin(), parts.end(), holds);
}

bool matches_query(const Contact& contact, std::string_view query) {
  if (query.empty()) return true;
  const std::string wanted = lower_case(query);
  for (Text field : {Text::Name, Text::FirstName, Text::LastName, Text::Email, Text::Phone, Text::CompanyName}) {
    const auto& text = contact.text(field);
    if (text && lower_case(*text).find(wanted) != std::string::npos) return true;
  }
  return false;
}

std::vector<std::string> sort_values(const Contact& contact, const std::vector<SortKey>& sort) {
  std::vector<std::string> values;
  for (const SortKey& key : effective(sort)) {
    const auto all = field_values(contact, key.field);
    values.push_back(all.empty() ? std::string() : all.front());
  }
  values.push_back(contact.id);
  return values;
}

bool sorted_before(const std::vector<std::string>& a, const std::vector<std::string>& b,
                   const std::vector<SortKey>& sort) {
  const std::vector<SortKey> keys = effective(sort);
  for (std::size_t i = 0; i < keys.size(); ++i) {
    const int order = compare(a[i], b[i]);
    if (order != 0) return keys[i].descending ? order > 0 : order < 0;
  }
  return a.back() < b.back();
}

}  // namespace simulator
