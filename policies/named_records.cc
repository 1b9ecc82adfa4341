#include "policies/named_records.h"

#include <algorithm>
#include <array>

#include "policies/json_strings.h"
#include "policies/percent.h"
#include "policies/query.h"

namespace policies {

namespace {

struct KindRow {
  RecordKind kind;
  std::string_view prefix;     // of its surrogate keys
  std::string_view parameter;  // of paths; empty: only where a key template names it
  std::string_view path;
  std::string_view location;
};
constexpr std::array kKinds{
    KindRow{RecordKind::Contact, "contact:{", "contactId", "/contacts/", "contact.locationId"},
    KindRow{RecordKind::Opportunity, "opportunity:{", "", "/opportunities/", "opportunity.locationId"},
    KindRow{RecordKind::Business, "business:{", "businessId", "/businesses/", "business.locationId"},
    KindRow{RecordKind::CustomField, "custom-field:{", "", "/custom-fields/", "field.locationId"},
};
const KindRow& row_of(RecordKind kind) { return kKinds[static_cast<std::size_t>(kind)]; }

constexpr std::string_view kBody = "body.", kQuery = "query.", kAnswer = "answer.";

// "contactId" of "contact:{contactId}:tasks"; empty where the template is of another kind or of the answer.
std::string_view place_in(std::string_view key, const KindRow& row) {
  if (!key.starts_with(row.prefix)) return {};
  const auto name = key.substr(row.prefix.size(), key.find('}') - row.prefix.size());
  return name.starts_with(kAnswer) ? std::string_view() : name;
}

// Calls `found` with kind and place ("contactId", "body.contacts", "query.contactId") until it says false.
template <typename Found>
void for_each_place(const Operation& operation, Found found) {
  for (const auto& row : kKinds) {
    for (const auto* keys : {&operation.keys, &operation.names})
      for (const auto& key : *keys)
        if (const auto place = place_in(key, row); !place.empty() && !found(row.kind, place)) return;
    const auto& names = operation.parameter_names;
    if (std::ranges::find(names, row.parameter) != names.end() && !found(row.kind, row.parameter)) return;
  }
}

}  // namespace

bool names_records(const Operation& operation) {
  bool any = false;
  for_each_place(operation, [&](RecordKind, std::string_view) { return !(any = true); });
  return any;
}

std::optional<RecordKind> read_of(const Operation& operation) {
  if (operation.kind != Kind::Read || operation.parameter_names.size() != 1) return std::nullopt;
  for (const auto& row : kKinds)
    if (operation.path == std::string(row.path) + "{" + operation.parameter_names[0] + "}") return row.kind;
  return std::nullopt;
}

std::optional<std::vector<NamedRecord>> named_records(const Match& match, std::string_view query,
                                                      std::string_view body) {
  std::vector<NamedRecord> records;
  bool readable = true;
  const auto add = [&](RecordKind kind, std::string_view id) {
    NamedRecord record{kind, std::string(id)};
    const bool known =
        id.empty() || records.size() > kMostNamedRecords || std::ranges::find(records, record) != records.end();
    if (!known) records.push_back(std::move(record));
  };
  for_each_place(*match.operation, [&](RecordKind kind, std::string_view place) {
    if (place.starts_with(kBody)) {
      bool object = false;
      const auto text = json_strings(
          body, place.substr(kBody.size()), [&](std::string_view id) { add(kind, id); }, &object);
      readable = text == JsonText::Whole && !object;
    } else if (place.starts_with(kQuery)) {
      for_each_parameter(query, [&](std::string_view name, std::string_view value) {
        const auto how = naming_of(name, place.substr(kQuery.size()));
        if (how == Naming::Exactly) add(kind, value);
        if (how == Naming::Otherwise || how == Naming::Object) readable = false;  // who knows what upstream makes of it
      });
    } else {
      std::string decoded;
      append_decoded(decoded, match.parameter(place));
      add(kind, decoded);
    }
    return readable;
  });
  if (!readable || records.size() > kMostNamedRecords) return std::nullopt;
  return records;
}

std::string path_of(const NamedRecord& record) {
  std::string path(row_of(record.kind).path);
  append_word(path, record.id);
  return path;
}

bool is_elsewhere(RecordKind kind, std::string_view answer_body, std::string_view location) {
  bool elsewhere = false;
  const auto text =
      json_strings(answer_body, row_of(kind).location, [&](std::string_view named) { elsewhere |= named != location; });
  return elsewhere || text != JsonText::Whole;
}

bool surely_absent(const NamedRecord& record, int status) {
  const bool plain = std::ranges::all_of(record.id, [](char c) { return is_unreserved(c) && c != '.' && c != '~'; });
  return record.kind == RecordKind::Contact && plain && (status == 400 || status == 404 || status == 422);
}

}  // namespace policies
