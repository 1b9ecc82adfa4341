// Tags, followers, campaigns, workflows and businesses: what a contact belongs to, one by one and in bulk.
#include <algorithm>

#include "tests/simulator/operations.h"

namespace simulator {

namespace {

using Strings = std::vector<std::string>;

bool contains(const Strings& all, const std::string& one) {
  return std::find(all.begin(), all.end(), one) != all.end();
}

// Adds what is not there yet; answers what was added.
Strings add(Strings& into, const Strings& wanted) {
  Strings added;
  for (const std::string& one : wanted) {
    if (contains(into, one)) continue;
    into.push_back(one);
    added.push_back(one);
  }
  return added;
}

Strings remove(Strings& from, const Strings& unwanted) {
  Strings removed;
  for (const std::string& one : unwanted) {
    if (std::erase(from, one) > 0) removed.push_back(one);
  }
  return removed;
}

Answer change_tags(Context& context, Record& record, bool adding) {
  const ContactPtr before = record.contact;
  Contact changed = *before;
  const Strings tags = strings_member(context.body, "tags");
  if (adding)
    add(changed.tags, tags);
  else
    remove(changed.tags, tags);
  store_changed(context, std::move(changed));
  if (before->tags != record.contact->tags) context.events.contact("ContactTagUpdate", *record.contact);
  JsonWriter json;
  json.object().key("tags").texts(record.contact->tags).end_object();
  return {adding ? 201 : 200, json.take()};
}

Answer change_followers(Context& context, Record& record, bool adding) {
  Contact changed = *record.contact;
  const Strings wanted = strings_member(context.body, "followers");
  const Strings moved = adding ? add(changed.followers, wanted) : remove(changed.followers, wanted);
  store_changed(context, std::move(changed));
  JsonWriter json;
  json.object().key("followers").texts(record.contact->followers);
  json.key(adding ? "followersAdded" : "followersRemoved").texts(moved).end_object();
  return {adding ? 201 : 200, json.take()};
}

struct TagChange {
  Strings tags;
  bool adding = true;
  bool remove_all = false;
};

void bulk_tags_of_one(Context& context, const std::string& id, const std::string& location, const TagChange& change,
                      JsonWriter& json, std::size_t& errors) {
  json.object().member("contactId", id);
  Record* record = context.world.store.find(id);
  std::string complaint;
  if (!firebase_id(id))
    complaint = "contact id is not a valid firebase id";
  else if (record == nullptr)
    complaint = "contact is deleted";
  else if (record->contact->location != location)
    complaint = "contact does not belong to location";
  if (!complaint.empty()) {
    ++errors;
    json.member("message", complaint).member("type", "error").end_object();
    return;
  }
  const ContactPtr before = record->contact;
  Contact changed = *before;
  Strings removed = change.remove_all ? std::exchange(changed.tags, {}) : Strings();
  Strings added;
  if (change.adding)
    added = add(changed.tags, change.tags);
  else if (!change.remove_all)
    removed = remove(changed.tags, change.tags);
  store_changed(context, std::move(changed));
  if (before->tags != record->contact->tags) context.events.contact("ContactTagUpdate", *record->contact);
  json.member("message", "Tags updated").member("type", "success").key("oldTags").texts(before->tags);
  json.key("tagsAdded").texts(added).key("tagsRemoved").texts(removed).end_object();
}

}  // namespace

Answer run_membership(Context& context, Record& record) {
  const Op op = context.route.operation->op;
  switch (op) {
    case Op::AddTags:
      return change_tags(context, record, true);
    case Op::RemoveTags:
      return change_tags(context, record, false);
    case Op::AddFollowers:
      return change_followers(context, record, true);
    case Op::RemoveFollowers:
      return change_followers(context, record, false);
    default:
      break;
  }
  Contact changed = *record.contact;
  if (op == Op::AddToCampaign)
    changed.campaigns.insert(context.route.other);
  else if (op == Op::RemoveFromCampaign)
    changed.campaigns.erase(context.route.other);
  else if (op == Op::RemoveFromAllCampaigns)
    changed.campaigns.clear();
  else if (op == Op::AddToWorkflow)
    changed.workflows.insert(context.route.other);
  else
    changed.workflows.erase(context.route.other);
  store_changed(context, std::move(changed));
  return succeeded(context, op == Op::AddToCampaign ? 201 : 200);
}

Answer bulk_tags(Context& context) {
  const std::string& type = context.route.other;
  if (type != "add" && type != "remove") {
    return unprocessable(422, {"type must be one of the following values: add, remove"});
  }
  const std::string location = *string_member(context.body, "locationId");
  if (!may_see(context, location)) return forbidden();
  const Value& body = context.body;
  const TagChange change{strings_member(body, "tags"), type == "add",
                         body.HasMember("removeAllTags") && body["removeAllTags"].IsTrue()};
  std::size_t errors = 0;
  JsonWriter responses;
  responses.array();
  for (const std::string& id : strings_member(body, "contacts")) {
    bulk_tags_of_one(context, id, location, change, responses, errors);
  }
  responses.end_array();
  JsonWriter json;
  json.object();
  if (context.v3) json.member("succeeded", true);
  json.member("succeded", true).count("errorCount", errors).key("responses").raw(responses.take()).end_object();
  return {201, json.take()};
}

Answer bulk_business(Context& context) {
  const std::string location = *string_member(context.body, "locationId");
  if (!may_see(context, location)) return forbidden();
  const auto business = string_member(context.body, "businessId");
  Strings changed_ids;
  for (const std::string& id : strings_member(context.body, "ids")) {
    if (id.size() > 50) return unprocessable(422, {"each value in ids must be shorter than or equal to 50 characters"});
    Record* record = context.world.store.find(id);
    if (record == nullptr || record->contact->location != location) continue;
    const ContactPtr before = record->contact;
    Contact changed = *before;
    changed.business = business;
    store_changed(context, std::move(changed));
    context.events.update(*before, *record->contact);
    changed_ids.push_back(id);
  }
  JsonWriter json;
  json.object().member("success", true).key("ids").texts(changed_ids).end_object();
  return {200, json.take()};
}

}  // namespace simulator
