#include "policies/surrogate_keys.h"

#include <algorithm>

#include "policies/json_strings.h"
#include "policies/percent.h"
#include "policies/query.h"

namespace policies {

namespace {

using Keys = std::vector<std::string>;

// "contact:{body.contacts}:tasks" taken apart; a text without braces is all `before`.
struct Template {
  std::string_view before, name, after;
  explicit Template(std::string_view text) : before(text.substr(0, text.find('{'))) {
    if (before.size() == text.size()) return;
    const std::size_t end = text.find('}');
    name = text.substr(before.size() + 1, end - before.size() - 1);
    after = text.substr(end + 1);
  }
  bool of(std::string_view part) const { return name.starts_with(part); }
};

constexpr std::string_view kQuery = "query.";
constexpr std::string_view kBody = "body.";
constexpr std::string_view kAnswer = "answer.";
constexpr std::string_view kLocation = "location:";

void add_key(Keys& keys, const Template& key, std::string_view decoded) {
  std::string text(key.before);
  append_word(text, decoded);
  keys.push_back(std::move(text.append(key.after)));
}

void add_verbatim(Keys& keys, const Template& key, std::string_view word) {
  keys.push_back(std::string(key.before).append(word).append(key.after));
}

// Rules 1 to 3 of the header. "*" and "?" cannot be values: append_word() encodes them.
void add_location(Keys& keys, const Template& key, bool writes, std::string_view location) {
  const bool known = !location.empty();
  if (known) add_key(keys, key, location);
  if (!known || writes) add_verbatim(keys, key, "?");
  if (!known || !writes) add_verbatim(keys, key, "*");
}

// False where the text has nothing at that place, is broken, or has too much.
bool add_from_json(Keys& keys, const Template& key, std::string_view json, std::string_view path, bool writes) {
  std::size_t count = 0;
  const auto text = json_strings(json, path, [&](std::string_view value) {
    if (value.empty() || ++count > kMostKeys) return;
    if (key.before == kLocation)
      add_location(keys, key, writes, value);
    else
      add_key(keys, key, value);
  });
  return text == JsonText::Whole && count > 0 && count <= kMostKeys;
}

// False where the query has no such parameter.
bool add_from_query(Keys& keys, const Template& key, std::string_view query) {
  const auto wanted = key.name.substr(kQuery.size());
  bool found = false;
  for_each_parameter(query, [&](std::string_view name, std::string_view value) {
    if (name != wanted || value.empty()) return;
    add_key(keys, key, value);
    found = true;
  });
  return found;
}

void add_parameter(Keys& keys, const Template& key, const Match& match) {
  std::string decoded;
  append_decoded(decoded, match.parameter(key.name));
  add_key(keys, key, decoded);
}

void add_unknown(Keys& keys, const Match& match, std::string_view location) {
  for (const auto& each : match.operation->keys_if_unknown)
    add_location(keys, Template(each), match.operation->kind == Kind::Write, location);
}

Keys sorted(Keys keys) {
  std::ranges::sort(keys);
  keys.erase(std::unique(keys.begin(), keys.end()), keys.end());
  return keys;
}

}  // namespace

std::vector<std::string> keys_of_request(const Match& match, std::string_view location, std::string_view request_body,
                                         std::string_view query) {
  const bool writes = match.operation->kind == Kind::Write;
  Keys keys;
  bool all_found = true;
  for (const auto& each : match.operation->keys) {
    const Template key(each);
    if (key.of(kAnswer)) continue;
    if (key.name.empty())
      keys.emplace_back(key.before);
    else if (key.of(kQuery))
      all_found &= add_from_query(keys, key, query);
    else if (key.of(kBody))
      all_found &= add_from_json(keys, key, request_body, key.name.substr(kBody.size()), writes);
    else if (key.name == "locationId")
      add_location(keys, key, writes, location);
    else
      add_parameter(keys, key, match);
  }
  if (!all_found) add_unknown(keys, match, location);
  return sorted(std::move(keys));
}

std::vector<std::string> keys_of_answer(const Match& match, std::string_view location, std::string_view answer_body) {
  Keys keys;
  bool all_found = true;
  for (const auto& each : match.operation->keys) {
    const Template key(each);
    if (!key.of(kAnswer)) continue;
    // The request's own keys reach every list where the location is unknown (rule 3).
    if (key.before == kLocation && location.empty()) continue;
    all_found &= add_from_json(keys, key, answer_body, key.name.substr(kAnswer.size()), true);
  }
  if (keys.empty() && all_found) return keys;
  if (!all_found) add_unknown(keys, match, location);
  const Keys known = keys_of_request(match, location, {});
  std::erase_if(keys, [&](const std::string& key) { return std::ranges::binary_search(known, key); });
  return sorted(std::move(keys));
}

bool keys_in_answer(const Operation& operation) {
  return operation.kind == Kind::Write &&
         std::ranges::any_of(operation.keys, [](const std::string& each) { return Template(each).of(kAnswer); });
}

std::vector<std::string> keys_of_body(const std::vector<std::string>& templates,
                                      const std::vector<std::string>& if_unknown, std::string_view body) {
  Keys keys;
  bool all_found = true;
  for (const auto& each : templates) {
    const Template key(each);
    if (key.name.empty()) {
      keys.emplace_back(key.before);
      continue;
    }
    const bool found = add_from_json(keys, key, body, key.name, true);
    if (!found && key.before == kLocation)
      add_location(keys, key, true, {});
    else
      all_found &= found;
  }
  if (!all_found)
    for (auto& key : keys_of_body(if_unknown, {}, body)) keys.push_back(std::move(key));
  return sorted(std::move(keys));
}

// Names cannot hold a ':' of their own: append_word() encodes it.
bool is_collection(std::string_view key) {
  return key.starts_with(kLocation) && key.find(':', kLocation.size()) != std::string_view::npos;
}

std::vector<std::string> keys_of_location(std::string_view location) {
  Keys keys;
  add_location(keys, Template("location:{locationId}"), true, location);
  add_location(keys, Template("location:{locationId}:contacts"), true, location);
  return sorted(std::move(keys));
}

}  // namespace policies
