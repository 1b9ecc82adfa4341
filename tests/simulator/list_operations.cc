// Lists, searches and the look for duplicates: everything that reads the index and not the contacts themselves.
#include <algorithm>
#include <charconv>

#include "tests/simulator/operations.h"
#include "tests/simulator/search.h"

namespace simulator {

namespace {

constexpr std::size_t kMaxLimit = 100;

std::optional<long long> whole_number(std::string_view text) {
  long long number = 0;
  const auto [rest, problem] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (problem != std::errc() || rest != text.data() + text.size() || number < 0) return std::nullopt;
  return number;
}

struct Window {
  std::string location;
  std::string query;
  std::size_t limit = 20;
  std::size_t skip = 0;
};

// The query parameters that the lists share; `problem` is set where they are wrong.
Window window(const Context& context, std::size_t default_limit, Answer& problem) {
  Window out;
  out.limit = default_limit;
  const std::string& query = context.call.query;
  std::vector<std::string> wrong;
  out.location = form_value(query, "locationId").value_or("");
  if (out.location.empty()) wrong.emplace_back("locationId should not be empty");
  if (const auto text = form_value(query, "limit")) {
    const auto number = whole_number(*text);
    if (!number || *number < 1)
      wrong.emplace_back("limit must be a positive number");
    else if (*number > static_cast<long long>(kMaxLimit))
      wrong.emplace_back("limit must not be greater than 100");
    else
      out.limit = static_cast<std::size_t>(*number);
  }
  if (const auto text = form_value(query, "skip")) {
    const auto number = whole_number(*text);
    if (!number)
      wrong.emplace_back("skip must be a number");
    else
      out.skip = static_cast<std::size_t>(*number);
  }
  out.query = form_value(query, "query").value_or("");
  if (!wrong.empty())
    problem = unprocessable(422, wrong);
  else if (!may_see(context, out.location))
    problem = forbidden();
  return out;
}

void write_list(JsonWriter& json, const std::vector<ContactPtr>& contacts, bool v3) {
  json.key("contacts").array();
  for (const ContactPtr& contact : contacts) write_contact(json, *contact, Form::Listed, v3);
  json.end_array();
}

// Where the next page begins; the page's number is known only on the first, which has no `startAfter`.
void write_meta(JsonWriter& json, const std::vector<ContactPtr>& page, const Window& asked, std::size_t total,
                bool more, bool first) {
  json.key("meta").object().count("total", total);
  if (more) {
    const Contact& last = *page.back();
    const std::string moment = std::to_string(last.added.count());
    json.member("nextPageUrl", "https://services.leadconnectorhq.com/contacts/?locationId=" + asked.location +
                                   "&limit=" + std::to_string(asked.limit) + "&startAfter=" + moment +
                                   "&startAfterId=" + last.id);
    json.member("startAfterId", last.id).key("startAfter").number(static_cast<long long>(last.added.count()));
  }
  json.count("currentPage", first ? 1 : 2).key("nextPage");
  if (more)
    json.number(static_cast<long long>(first ? 2 : 3));
  else
    json.null();
  json.key("prevPage");
  if (first)
    json.null();
  else
    json.number(1LL);
  json.end_object();
}

std::optional<ListKey> start_after(const Context& context, Answer& problem) {
  const auto moment = form_value(context.call.query, "startAfter");
  const auto id = form_value(context.call.query, "startAfterId");
  if (!moment && !id) return std::nullopt;
  const auto number = moment ? whole_number(*moment) : std::nullopt;
  if (moment && !number)
    problem = error(400, "startAfter must be a number");
  else if (id && !well_formed_id(*id))
    problem = error(400, "startAfterId must be a valid id");
  else if (number)
    return ListKey{*number, id.value_or(std::string(1, '\x7f'))};
  else if (const Record* record = context.world.store.find(*id))
    return ListKey{record->contact->added.count(), *id};
  else
    problem = not_found(context, "Contact of startAfterId");
  return std::nullopt;
}

struct Found {
  std::vector<ContactPtr> page;
  std::size_t total = 0;
  bool more = false;
};

// One pass in the index's own order: all matches are counted unless every contact matches, where the index knows its
// size.
template <typename Matches>
Found collect(const Index& index, Index::const_iterator from, std::size_t skip, std::size_t limit, bool all,
              Matches matches) {
  Found found;
  for (auto it = from; it != index.end(); ++it) {
    if (!all && !matches(*it->second)) continue;
    if (skip > 0) {
      --skip;
      continue;
    }
    if (found.page.size() == limit) {
      found.more = true;
      break;
    }
    found.page.push_back(it->second);
  }
  if (all) {
    found.total = index.size();
  } else {
    for (const auto& [key, contact] : index) found.total += matches(*contact) ? 1 : 0;
  }
  return found;
}

// Sorting by another field than dateAdded needs all matches in hand.
Found collect_sorted(const Index& index, const Search& search) {
  std::vector<std::pair<std::vector<std::string>, ContactPtr>> rows;
  for (const auto& [key, contact] : index) {
    if (matches_query(*contact, search.query) && matches(*contact, search.filters)) {
      rows.emplace_back(sort_values(*contact, search.sort), contact);
    }
  }
  std::sort(rows.begin(), rows.end(),
            [&](const auto& a, const auto& b) { return sorted_before(a.first, b.first, search.sort); });
  auto from = rows.begin();
  if (!search.after.empty()) {
    from = std::find_if(rows.begin(), rows.end(),
                        [&](const auto& row) { return sorted_before(search.after, row.first, search.sort); });
  } else {
    from += static_cast<std::ptrdiff_t>(std::min(rows.size(), (search.page - 1) * search.page_limit));
  }
  Found found;
  found.total = rows.size();
  for (; from != rows.end() && found.page.size() < search.page_limit; ++from) found.page.push_back(from->second);
  found.more = from != rows.end();
  return found;
}

Found run_search(Context& context, const Search& search) {
  const Index& index = context.world.store.index(search.location, context.now.steady);
  if (!search.sort.empty()) return collect_sorted(index, search);
  auto from = index.begin();
  std::size_t skip = (search.page - 1) * search.page_limit;
  if (!search.after.empty()) {
    from = index.upper_bound({whole_number(search.after[0]).value_or(0), search.after[1]});
    skip = 0;
  }
  const bool all = search.query.empty() && search.filters.parts.empty();
  return collect(index, from, skip, search.page_limit, all, [&](const Contact& contact) {
    return matches_query(contact, search.query) && matches(contact, search.filters);
  });
}

void write_search_after(JsonWriter& json, const Contact& contact, const Search& search) {
  json.key("searchAfter").array();
  const std::vector<std::string> values = sort_values(contact, search.sort);
  for (std::size_t i = 0; i < values.size(); ++i) {
    const std::string field = i < search.sort.size()          ? search.sort[i].field
                              : search.sort.empty() && i == 0 ? "dateAdded"
                                                              : "";
    if (field == "dateAdded" || field == "dateUpdated")
      json.raw(values[i]);
    else
      json.text(values[i]);
  }
  json.end_array();
}

}  // namespace

Answer get_contacts(Context& context) {
  Answer problem{0, ""};
  const Window asked = window(context, 20, problem);
  if (problem.status != 0) return problem;
  const auto after = start_after(context, problem);
  if (problem.status != 0) return problem;
  const Index& index = context.world.store.index(asked.location, context.now.steady);
  const auto from = after ? index.upper_bound(*after) : index.begin();
  const Found found = collect(index, from, 0, asked.limit, asked.query.empty(),
                              [&](const Contact& contact) { return matches_query(contact, asked.query); });
  JsonWriter json;
  json.object();
  write_list(json, found.page, context.v3);
  json.count("count", found.total);
  write_meta(json, found.page, asked, found.total, found.more, !after);
  json.end_object();
  return {200, json.take()};
}

Answer get_by_business(Context& context) {
  if (!well_formed_id(context.route.other)) return error(400, "businessId must be a valid id");
  Answer problem{0, ""};
  const Window asked = window(context, 25, problem);
  if (problem.status != 0) return problem;
  const Index& index = context.world.store.index(asked.location, context.now.steady);
  const Found found = collect(index, index.begin(), asked.skip, asked.limit, false, [&](const Contact& contact) {
    return contact.business == context.route.other && matches_query(contact, asked.query);
  });
  JsonWriter json;
  json.object();
  write_list(json, found.page, context.v3);
  json.count("count", found.total).end_object();
  return {200, json.take()};
}

Answer search_contacts(Context& context) {
  const auto parsed = parse_search(context.body);
  if (const auto* problem = std::get_if<std::string>(&parsed)) return error(400, *problem);
  const Search& search = std::get<Search>(parsed);
  if (!may_see(context, search.location)) return forbidden();
  const Found found = run_search(context, search);
  JsonWriter json;
  json.object().key("contacts").array();
  for (const ContactPtr& contact : found.page) {
    json.object();
    write_members(json, *contact, Form::Listed, context.v3);
    write_search_after(json, *contact, search);
    json.end_object();
  }
  json.end_array().count("total", found.total).end_object();
  return {200, json.take()};
}

Answer get_duplicate(Context& context) {
  const std::string& query = context.call.query;
  const auto location = form_value(query, "locationId");
  const auto email = form_value(query, "email");
  const auto number = form_value(query, "number");
  if (!location || location->empty()) return error(400, "locationId should not be empty");
  if ((!email || email->empty()) && (!number || number->empty()))
    return error(400, "email or number should not be empty");
  if (!may_see(context, *location)) return forbidden();
  const Index& index = context.world.store.index(*location, context.now.steady);
  const auto same = [&](const Contact& contact, Text field, const std::optional<std::string>& wanted, auto normal) {
    return wanted && !wanted->empty() && contact.text(field) && normal(*contact.text(field)) == normal(*wanted);
  };
  ContactPtr by_email, by_phone;
  for (const auto& [key, contact] : index) {
    if (same(*contact, Text::Email, email, lower_case)) by_email = contact;
    if (same(*contact, Text::Phone, number, normalised_phone)) by_phone = contact;
  }
  const ContactPtr& found = by_email ? by_email : by_phone;
  JsonWriter json;
  json.object().key("contact");
  if (found)
    write_contact(json, *found, Form::Full, context.v3);
  else
    json.null();
  json.end_object();
  return {200, json.take()};
}

}  // namespace simulator
