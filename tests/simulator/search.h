// POST /contacts/search: the filters (with AND and OR groups), the free query, the sort keys and `searchAfter`. A
// subset of the vendor's operators: eq, not_eq, contains, not_contains, wildcard, exists, not_exists, range. Pure.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "tests/simulator/contact.h"

namespace simulator {

enum class Operator { Eq, NotEq, Contains, NotContains, Wildcard, Exists, NotExists, Range };

struct Filter {
  std::string field;  // a member of a contact, "customFields.ID" or "tags"
  Operator op = Operator::Eq;
  std::vector<std::string> values;              // any of them
  std::string at_least, above, at_most, below;  // of a range; empty: not bounded
};
struct FilterGroup {
  bool any = false;  // OR, else AND
  std::vector<std::variant<Filter, FilterGroup>> parts;
};

struct SortKey {
  std::string field;
  bool descending = true;
};

struct Search {
  std::string location;
  std::string query;
  FilterGroup filters;
  std::vector<SortKey> sort;  // empty: dateAdded, the newest first
  std::size_t page = 1;
  std::size_t page_limit = 20;
  std::vector<std::string> after;  // values of the sort keys and the id; empty: from the start
};

// What is wrong with the body, or the search it asks for.
std::variant<std::string, Search> parse_search(const Value& body);

// Every value of a field as comparable text: dates as milliseconds, numbers of custom fields as written.
std::vector<std::string> field_values(const Contact& contact, const std::string& field);

bool matches(const Contact& contact, const FilterGroup& filters);
bool matches_query(const Contact& contact, std::string_view query);  // in names, email, phone and company, without case

// The values that place `contact` in the order of `sort`, its id last: what `searchAfter` carries.
std::vector<std::string> sort_values(const Contact& contact, const std::vector<SortKey>& sort);
bool sorted_before(const std::vector<std::string>& a, const std::vector<std::string>& b,
                   const std::vector<SortKey>& sort);

}  // namespace simulator
