#include "tests/simulator/neighbours.h"

#include <algorithm>
#include <array>

#include "tests/simulator/operations.h"

namespace simulator {

namespace {

using Filling = std::vector<std::pair<std::string_view, std::string>>;

const Neighbour& neighbour_of(const Context& context) {
  return *std::ranges::find(neighbours(), std::string_view(context.route.operation->name),
                            [](const Neighbour& each) { return std::string_view(each.operation.name); });
}

Answer answered(const Neighbour& neighbour, const Filling& filling) {
  std::string text;
  for (std::string_view rest = neighbour.answer; !rest.empty();) {
    const auto mark = rest.find('$');
    text.append(rest.substr(0, mark));
    if (mark == std::string_view::npos) break;
    rest.remove_prefix(mark + 1);
    // "$item" begins "$items": the longest name that fits.
    const std::pair<std::string_view, std::string>* best = nullptr;
    for (const auto& each : filling)
      if (rest.starts_with(each.first) && (best == nullptr || each.first.size() > best->first.size())) best = &each;
    if (best == nullptr) continue;
    text.append(best->second);
    rest.remove_prefix(best->first.size());
  }
  return {neighbour.status, text};
}

// An opportunity shows whom it is for as the contact is now.
void write_contact_of(JsonWriter& json, Context& context, const Item& item) {
  const Record* record = context.world.store.find(item.text("contactId"));
  if (record == nullptr) return;
  const Contact& contact = *record->contact;
  json.key("contact").object().member("id", contact.id).member("name", contact.text(Text::Name).value_or(""));
  json.member("companyName", contact.text(Text::CompanyName).value_or(""));
  json.member("email", contact.text(Text::Email).value_or("")).member("phone", contact.text(Text::Phone).value_or(""));
  json.key("tags").texts(contact.tags).end_object();
}

std::string to_text(Context& context, std::string_view kind, const Item& item) {
  JsonWriter json;
  json.object();
  for (const auto& [name, value] : item.members) {
    if (name != "followers") json.key(name).raw(value);
  }
  if (kind == "opportunity") write_contact_of(json, context, item);
  json.end_object();
  return json.take();
}

// Members of a body that are no members of the item it makes.
bool kept(std::string_view kind, std::string_view name) {
  static constexpr std::array<std::string_view, 9> kOut = {
      "id",       "password", "companyId", "type", "role", "locationIds", "isRemoveAllFollowers", "followersActionType",
      "followers"};
  return std::ranges::find(kOut, name) == kOut.end() && !(kind == "opportunity" && name == "customFields");
}

void take_over(Context& context, const Neighbour& neighbour, Item& item) {
  const std::string_view kind = neighbour.kind;
  for (const Rule& rule : neighbour.body) {
    const auto given = context.body.FindMember(rule.name);
    if (given != context.body.MemberEnd() && kept(kind, rule.name)) item.set(rule.name, to_json(given->value));
  }
  if (kind == "user" && context.body.HasMember("locationIds")) {
    JsonWriter roles;
    roles.object().member("type", string_member(context.body, "type").value_or("account"));
    roles.member("role", string_member(context.body, "role").value_or("user"));
    roles.key("locationIds").texts(strings_member(context.body, "locationIds")).end_object();
    item.set("roles", roles.take());
  }
  if (kind == "folder" || kind == "user") return;
  const std::string moment = '"' + iso8601(context.now.wall) + '"';
  if (item.find("createdAt") == nullptr && item.find("dateAdded") == nullptr)
    item.set(kind == "field" ? "dateAdded" : "createdAt", moment);
  item.set(kind == "field" ? "dateUpdated" : "updatedAt", moment);
}

Item& create(Context& context, const Neighbour& neighbour) {
  const std::string id = random_id(context.world.ids);
  const bool has_location = std::string_view(neighbour.kind) != "user";
  Item item{has_location ? string_member(context.body, "locationId").value_or("") : ""};
  item.set("id", '"' + id + '"');
  take_over(context, neighbour, item);
  if (std::string_view(neighbour.kind) == "opportunity") context.events.opportunity("OpportunityCreate", item);
  return context.world.items.kinds[neighbour.kind].emplace(id, std::move(item)).first->second;
}

void tell_changes(Context& context, const Item& before, const Item& after) {
  static constexpr std::pair<const char*, const char*> kChanges[] = {
      {"pipelineStageId", "OpportunityStageUpdate"},
      {"status", "OpportunityStatusUpdate"},
      {"monetaryValue", "OpportunityMonetaryValueUpdate"},
      {"assignedTo", "OpportunityAssignedToUpdate"}};
  context.events.opportunity("OpportunityUpdate", after);
  for (const auto& [member, type] : kChanges) {
    const std::string *old = before.find(member), *now = after.find(member);
    if (now != nullptr && (old == nullptr || *old != *now)) context.events.opportunity(type, after);
  }
}

void update(Context& context, const Neighbour& neighbour, Item& item) {
  const Item before = item;
  take_over(context, neighbour, item);
  if (std::string_view(neighbour.kind) == "opportunity") tell_changes(context, before, item);
}

// What contacts lose when a business or a user goes.
void leave_contacts(Context& context, std::string_view kind, const std::string& id) {
  std::vector<Contact> changed;
  for (const auto& [contact_id, record] : context.world.store.records()) {
    Contact contact = *record.contact;
    if (kind == "business" && contact.business == id)
      contact.business.reset();
    else if (kind == "user" && contact.text(Text::AssignedTo) == id)
      contact.text(Text::AssignedTo).reset();
    else
      continue;
    changed.push_back(std::move(contact));
  }
  for (Contact& contact : changed) store_changed(context, std::move(contact));
}

Answer list(Context& context, const Neighbour& neighbour) {
  std::string location = string_member(context.body, "locationId").value_or("");
  for (const char* name : {"locationId", "location_id"}) {
    if (auto named = form_value(context.call.query, name)) location = std::move(*named);
  }
  if (!location.empty() && !may_see(context, location)) return forbidden();
  const auto texts = [&](const char* kind, std::size_t& total) {
    JsonWriter json;
    json.array();
    for (const auto& [id, item] : context.world.items.kinds[kind]) {
      const bool here = item.location.empty() || item.location == location;
      const bool of_object = item.find("objectKey") == nullptr || item.text("objectKey") == context.route.other;
      if (!here || !of_object) continue;
      json.raw(to_text(context, kind, item));
      ++total;
    }
    json.end_array();
    return json.take();
  };
  std::size_t total = 0, folders = 0;
  std::string items = texts(neighbour.kind, total);
  return answered(
      neighbour,
      {{"items", std::move(items)}, {"folders", texts("folder", folders)}, {"total", std::to_string(total)}});
}

Answer follow(Context& context, const Neighbour& neighbour, Item& item) {
  const bool adds = neighbour.deed == Deed::AddFollowers;
  std::vector<std::string> followers, changed;
  if (const std::string* known = item.find("followers")) {
    const auto parsed = parse_json(*known);
    for (const Value& each : parsed->GetArray()) followers.emplace_back(view(each));
  }
  for (const std::string& each : strings_member(context.body, "followers")) {
    const auto at = std::ranges::find(followers, each);
    if (adds == (at != followers.end())) continue;
    if (adds)
      followers.push_back(each);
    else
      followers.erase(at);
    changed.push_back(each);
  }
  const std::string all = JsonWriter().texts(followers).take();
  item.set("followers", all);
  return answered(neighbour, {{"followers", all}, {"changed", JsonWriter().texts(changed).take()}});
}

// The files become a value of the contact's fields: how many bytes came.
Answer upload(Context& context, const Neighbour& neighbour) {
  const Record* record = context.world.store.find(form_value(context.call.query, "contactId").value_or(""));
  if (record == nullptr) return not_found(context, "Contact");
  if (!may_see(context, record->contact->location)) return forbidden();
  Contact changed = *record->contact;
  changed.custom_fields.push_back({"field000000000000001", "", std::to_string(context.call.body.size())});
  store_changed(context, std::move(changed));
  return answered(neighbour, {{"total", "1"}});
}

Answer upsert(Context& context, const Neighbour& neighbour) {
  auto& items = context.world.items.kinds[neighbour.kind];
  if (!may_see(context, string_member(context.body, "locationId").value_or(""))) return forbidden();
  const auto known = items.find(string_member(context.body, "id").value_or(""));
  const bool is_new = known == items.end();
  Item& item = is_new ? create(context, neighbour) : known->second;
  if (!is_new) update(context, neighbour, item);
  return answered(neighbour, {{"item", to_text(context, neighbour.kind, item)}, {"new", is_new ? "true" : "false"}});
}

// What is done to one item that the path names.
Answer run_on_item(Context& context, const Neighbour& neighbour) {
  auto& items = context.world.items.kinds[neighbour.kind];
  const std::string& id = context.route.other;
  if (!well_formed_id(id)) return unprocessable(neighbour.operation.invalid_status, {"id must be a valid id"});
  const auto found = items.find(id);
  if (found == items.end()) return not_found(context, neighbour.kind);
  Item& item = found->second;
  if (!item.location.empty() && !may_see(context, item.location)) return forbidden();
  if (neighbour.deed == Deed::AddFollowers || neighbour.deed == Deed::RemoveFollowers)
    return follow(context, neighbour, item);
  if (neighbour.deed == Deed::Update) update(context, neighbour, item);
  const Filling filling{{"item", to_text(context, neighbour.kind, item)},
                        {"id", id},
                        {"key", item.text(item.find("fieldKey") != nullptr ? "fieldKey" : "objectKey")}};
  if (neighbour.deed == Deed::Delete) {
    if (std::string_view(neighbour.kind) == "opportunity") context.events.opportunity("OpportunityDelete", item);
    items.erase(found);
    leave_contacts(context, neighbour.kind, id);
  }
  return answered(neighbour, filling);
}

}  // namespace

Answer run_neighbour(Context& context) {
  const Neighbour& neighbour = neighbour_of(context);
  const int invalid = neighbour.operation.invalid_status;
  if (neighbour.query != nullptr && form_value(context.call.query, neighbour.query).value_or("").empty())
    return unprocessable(invalid, {std::string(neighbour.query) + " should not be empty"});
  if (const auto limit = form_value(context.call.query, "limit");
      limit && (limit->empty() || limit->find_first_not_of("0123456789") != std::string::npos))
    return unprocessable(invalid, {"limit must be a number"});
  if (!neighbour.body.empty()) {
    if (const auto wrong = complaints(neighbour.body, context.body); !wrong.empty())
      return unprocessable(invalid, wrong);
  }
  switch (neighbour.deed) {
    case Deed::List:
      return list(context, neighbour);
    case Deed::Create:
      if (const auto location = string_member(context.body, "locationId"); location && !may_see(context, *location))
        return forbidden();
      return answered(neighbour, {{"item", to_text(context, neighbour.kind, create(context, neighbour))}});
    case Deed::Upsert:
      return upsert(context, neighbour);
    case Deed::Upload:
      return upload(context, neighbour);
    default:
      return run_on_item(context, neighbour);
  }
}

}  // namespace simulator
