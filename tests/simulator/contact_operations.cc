// Creating, reading, changing, upserting and deleting one contact.
#include "tests/simulator/operations.h"

namespace simulator {

namespace {

struct Duplicate {
  ContactPtr contact;
  const char* field = "";
};

// The API's order of precedence: email, then phone.
Duplicate duplicate_of(Context& context, const Contact& contact) {
  Store& store = context.world.store;
  if (const auto& email = contact.text(Text::Email)) {
    if (ContactPtr other = store.by_email(contact.location, *email); other && other->id != contact.id)
      return {other, "email"};
  }
  if (const auto& phone = contact.text(Text::Phone)) {
    if (ContactPtr other = store.by_phone(contact.location, *phone); other && other->id != contact.id)
      return {other, "phone"};
  }
  return {};
}

Answer duplicate_refused(const Duplicate& duplicate) {
  JsonWriter json;
  json.object().key("statusCode").number(400LL);
  json.member("message", "This location does not allow duplicated contacts.").member("error", "Bad Request");
  json.key("meta").object().member("contactId", duplicate.contact->id);
  json.member("contactName", duplicate.contact->text(Text::Name).value_or(""));
  json.member("matchingField", duplicate.field).end_object().end_object();
  return {400, json.take()};
}

void count_creation(Context& context, const Contact& contact) {
  Creations& creations = context.world.creations;
  ++creations.contacts;
  if (const auto& email = contact.text(Text::Email)) ++creations.by_email[contact.location + '/' + lower_case(*email)];
  if (!context.call.idempotency_key.empty()) ++creations.by_idempotency_key[context.call.idempotency_key];
}

Contact from_body(Context& context) {
  Contact contact;
  contact.location = string_member(context.body, "locationId").value_or("");
  contact.added = contact.updated = context.now.wall;
  apply_body(contact, context.body);
  return contact;
}

// The new contact is stored and its event sent.
ContactPtr store_new(Context& context, Contact contact) {
  contact.id = random_id(context.world.ids);
  if (!contact.text(Text::Source)) contact.text(Text::Source) = "public api";
  auto stored = std::make_shared<const Contact>(std::move(contact));
  context.world.store.put(stored, context.now.steady);
  count_creation(context, *stored);
  context.events.contact("ContactCreate", *stored);
  return stored;
}

std::string enveloped(const Contact& contact, Form form, bool v3) {
  JsonWriter json;
  json.object().key("contact");
  write_contact(json, contact, form, v3);
  json.end_object();
  return json.take();
}

}  // namespace

Answer create_contact(Context& context) {
  Contact contact = from_body(context);
  if (!may_see(context, contact.location)) return forbidden();
  if (!context.world.options.allow_duplicates) {
    if (const Duplicate duplicate = duplicate_of(context, contact); duplicate.contact)
      return duplicate_refused(duplicate);
  }
  const ContactPtr stored = store_new(context, std::move(contact));
  return {201, enveloped(*stored, context.v3 ? Form::Full : Form::Created, context.v3)};
}

Answer get_contact(Context& context, Record& record) {
  return {200, enveloped(*record.contact, Form::Full, context.v3)};
}

Answer update_contact(Context& context, Record& record) {
  const ContactPtr before = record.contact;
  Contact changed = *before;
  apply_body(changed, context.body);
  if (!context.world.options.allow_duplicates) {
    if (const Duplicate duplicate = duplicate_of(context, changed); duplicate.contact)
      return duplicate_refused(duplicate);
  }
  store_changed(context, std::move(changed));
  context.events.update(*before, *record.contact);
  JsonWriter json;
  json.object().member(context.v3 ? "succeeded" : "succeded", true).key("contact");
  write_contact(json, *record.contact, Form::Full, context.v3);
  json.end_object();
  return {200, json.take()};
}

Answer delete_contact(Context& context, Record& record) {
  const ContactPtr gone = record.contact;
  context.world.store.erase(gone->id, context.now.steady);
  context.events.contact("ContactDelete", *gone);
  return succeeded(context);
}

Answer upsert_contact(Context& context) {
  Contact contact = from_body(context);
  if (!may_see(context, contact.location)) return forbidden();
  const Value& body = context.body;
  const bool force_new = context.world.options.allow_duplicates && body.HasMember("createNewIfDuplicateAllowed") &&
                         body["createNewIfDuplicateAllowed"].IsTrue();
  ContactPtr result = force_new ? nullptr : duplicate_of(context, contact).contact;
  const bool is_new = result == nullptr;
  if (is_new) {
    result = store_new(context, std::move(contact));
  } else {
    const ContactPtr before = result;
    Contact changed = *before;
    apply_body(changed, body);
    store_changed(context, std::move(changed));
    result = context.world.store.find(before->id)->contact;
    context.events.update(*before, *result);
  }
  JsonWriter json;
  json.object().member("new", is_new).key("contact");
  write_contact(json, *result, Form::Full, context.v3);
  json.member("traceId", trace_id(context.world.traces)).end_object();
  return {200, json.take()};
}

}  // namespace simulator
