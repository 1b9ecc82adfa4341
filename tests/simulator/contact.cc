#include "tests/simulator/contact.h"

#include <algorithm>

#include "tests/simulator/call.h"

namespace simulator {

namespace {

const Value* member(const Value& object, const char* name) {
  const auto found = object.FindMember(name);
  return found == object.MemberEnd() ? nullptr : &found->value;
}

void take_text(std::optional<std::string>& into, const Value& body, const char* name) {
  const Value* value = member(body, name);
  if (value == nullptr) return;
  if (value->IsString())
    into = std::string(view(*value));
  else if (value->IsNull())
    into.reset();
}

DndSetting dnd_setting(const Value& value) {
  return {string_member(value, "status").value_or("inactive"), string_member(value, "message").value_or(""),
          string_member(value, "code").value_or("")};
}

void take_dnd(Contact& contact, const Value& body) {
  if (const Value* dnd = member(body, "dnd"); dnd != nullptr && dnd->IsBool()) contact.dnd = dnd->GetBool();
  if (const Value* settings = member(body, "dndSettings"); settings != nullptr && settings->IsObject()) {
    for (std::size_t i = 0; i < kDndChannels.size(); ++i) {
      const Value* channel = member(*settings, kDndChannels[i]);
      if (channel == nullptr) channel = member(*settings, kDndChannelsV3[i]);
      if (channel != nullptr) contact.dnd_settings[i] = dnd_setting(*channel);
    }
  }
  if (const Value* inbound = member(body, "inboundDndSettings"); inbound != nullptr && inbound->IsObject()) {
    if (const Value* all = member(*inbound, "all"); all != nullptr) contact.inbound_dnd = dnd_setting(*all);
  }
}

// 2021-07-28 sends `field_value`, v3 `fieldValue`; `value` is what answers say, and many clients send it back.
void take_custom_fields(Contact& contact, const Value& body) {
  const Value* fields = member(body, "customFields");
  if (fields == nullptr || !fields->IsArray()) return;
  for (const Value& field : fields->GetArray()) {
    if (!field.IsObject()) continue;
    const std::string key = string_member(field, "key").value_or("");
    const std::string id = string_member(field, "id").value_or(key);
    const Value* value = member(field, "fieldValue");
    if (value == nullptr) value = member(field, "field_value");
    if (value == nullptr) value = member(field, "value");
    auto known = std::find_if(contact.custom_fields.begin(), contact.custom_fields.end(),
                              [&](const CustomField& other) { return other.id == id; });
    if (known == contact.custom_fields.end()) known = contact.custom_fields.insert(known, CustomField{id, key, ""});
    known->value = value == nullptr ? "null" : to_json(*value);
  }
}

// A full name alone is split at its first space; parts given on their own make the full name.
void settle_names(Contact& contact, const Value& body) {
  const bool parts = body.HasMember("firstName") || body.HasMember("lastName");
  if (!parts && body.HasMember("name") && contact.text(Text::Name)) {
    const std::string& name = *contact.text(Text::Name);
    const auto space = name.find(' ');
    contact.text(Text::FirstName) = name.substr(0, space);
    contact.text(Text::LastName).reset();
    if (space != std::string::npos) contact.text(Text::LastName) = name.substr(space + 1);
  } else if (parts && !body.HasMember("name")) {
    std::string name = contact.text(Text::FirstName).value_or("");
    if (contact.text(Text::LastName)) name += (name.empty() ? "" : " ") + *contact.text(Text::LastName);
    contact.text(Text::Name).reset();
    if (!name.empty()) contact.text(Text::Name) = name;
  }
}

void write_dnd_settings(JsonWriter& json, const Contact& contact, bool v3) {
  json.key("dndSettings").object();
  for (std::size_t i = 0; i < kDndChannels.size(); ++i) {
    if (!contact.dnd_settings[i]) continue;
    const DndSetting& setting = *contact.dnd_settings[i];
    json.key(v3 ? kDndChannelsV3[i] : kDndChannels[i]).object().member("status", setting.status);
    if (!setting.message.empty()) json.member("message", setting.message);
    if (!setting.code.empty()) json.member("code", setting.code);
    json.end_object();
  }
  json.end_object();
}

void write_custom_fields(JsonWriter& json, const Contact& contact) {
  json.key("customFields").array();
  for (const CustomField& field : contact.custom_fields) {
    json.object().member("id", field.id).key("value").raw(field.value).end_object();
  }
  json.end_array();
}

void write_lower_case(JsonWriter& json, const Contact& contact) {
  const auto lower = [&](const char* name, Text field) {
    if (contact.text(field)) json.member(name, lower_case(*contact.text(field)));
  };
  lower("emailLowerCase", Text::Email);
  lower("firstNameLowerCase", Text::FirstName);
  lower("lastNameLowerCase", Text::LastName);
  lower("fullNameLowerCase", Text::Name);
}

}  // namespace

std::string lower_case(std::string_view text) {
  std::string out(text);
  for (char& c : out) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return out;
}

std::string normalised_phone(std::string_view phone) {
  std::string out;
  for (char c : phone) {
    if ((c >= '0' && c <= '9') || (c == '+' && out.empty())) out += c;
  }
  return out;
}

void apply_body(Contact& contact, const Value& body) {
  for (std::size_t i = 0; i < kTextNames.size(); ++i) take_text(contact.texts[i], body, kTextNames[i]);
  if (auto& phone = contact.text(Text::Phone)) phone = normalised_phone(*phone);
  settle_names(contact, body);
  take_dnd(contact, body);
  if (body.HasMember("tags")) contact.tags = strings_member(body, "tags");
  take_custom_fields(contact, body);
}

void write_members(JsonWriter& json, const Contact& contact, Form form, bool v3) {
  json.member("id", contact.id).member("locationId", contact.location);
  for (std::size_t i = 0; i < kTextNames.size(); ++i) {
    if (contact.texts[i]) json.member(kTextNames[i], *contact.texts[i]);
  }
  if (form == Form::Listed && contact.text(Text::Name)) json.member("contactName", *contact.text(Text::Name));
  if (form != Form::Event) {
    write_lower_case(json, contact);
    json.member("type", "lead");
  }
  json.member("dnd", contact.dnd);
  write_dnd_settings(json, contact, v3);
  json.key("tags").texts(contact.tags);
  write_custom_fields(json, contact);
  if (form != Form::Event) json.key("followers").texts(contact.followers);
  if (contact.business) json.member("businessId", *contact.business);
  if (form == Form::Listed) json.key("attributions").array().end_array();
  if (form == Form::Created)
    json.member("deleted", false).member("bounceEmail", false).member("unsubscribeEmail", false);
  if (form == Form::Event) json.key("attachments").array().end_array();
  json.member("dateAdded", iso8601(contact.added));
  if (form != Form::Event) json.member("dateUpdated", iso8601(contact.updated));
}

void write_contact(JsonWriter& json, const Contact& contact, Form form, bool v3) {
  json.object();
  write_members(json, contact, form, v3);
  json.end_object();
}

void apply_body(Task& task, const Value& body) {
  if (auto title = string_member(body, "title")) task.title = *title;
  take_text(task.body, body, "body");
  take_text(task.assigned_to, body, "assignedTo");
  if (auto due = string_member(body, "dueDate")) task.due = *due;
  if (const Value* done = member(body, "completed"); done != nullptr && done->IsBool())
    task.completed = done->GetBool();
}

void write_task(JsonWriter& json, const Task& task, const std::string& contact) {
  json.object().member("id", task.id).member("title", task.title);
  if (task.body) json.member("body", *task.body);
  if (task.assigned_to) json.member("assignedTo", *task.assigned_to);
  json.member("dueDate", task.due).member("completed", task.completed).member("contactId", contact).end_object();
}

void apply_body(Note& note, const Value& body) {
  if (auto text = string_member(body, "body")) note.body = *text;
  take_text(note.user, body, "userId");
  take_text(note.title, body, "title");
  take_text(note.color, body, "color");
  if (const Value* pin = member(body, "pinned"); pin != nullptr && pin->IsBool()) note.pinned = pin->GetBool();
}

void write_note(JsonWriter& json, const Note& note, const std::string& contact) {
  json.object().member("id", note.id).member("body", note.body);
  if (note.user) json.member("userId", *note.user);
  if (note.title) json.member("title", *note.title);
  if (note.color) json.member("color", *note.color);
  json.member("pinned", note.pinned).member("dateAdded", iso8601(note.added)).member("contactId", contact).end_object();
}

void write_appointment(JsonWriter& json, const Appointment& appointment, const Contact& contact) {
  json.object().member("id", appointment.id).member("title", appointment.title);
  json.member("calendarId", appointment.calendar)
      .member("contactId", contact.id)
      .member("locationId", contact.location);
  json.member("status", "booked").member("appointmentStatus", "confirmed");
  json.member("startTime", appointment.start).member("endTime", appointment.end);
  json.key("users").array().end_array();
  json.member("dateAdded", iso8601(appointment.added)).member("dateUpdated", iso8601(appointment.added)).end_object();
}

}  // namespace simulator
