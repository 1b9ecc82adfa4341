#include "tests/simulator/events.h"

namespace simulator {

namespace {

void begin(JsonWriter& json, std::string_view type, const std::string& location) {
  json.object().member("type", type);
  json.member("locationId", location);
}

}  // namespace

void Events::close(JsonWriter& json) {
  json.member("timestamp", iso8601(now_.wall)).member("webhookId", trace_id(random_)).end_object();
  bodies_.push_back(json.take());
}

void Events::contact(std::string_view type, const Contact& contact) {
  if (!enabled_) return;
  JsonWriter json;
  json.object().member("type", type);
  write_members(json, contact, Form::Event, false);
  close(json);
}

void Events::update(const Contact& before, const Contact& after) {
  contact("ContactUpdate", after);
  if (before.tags != after.tags) contact("ContactTagUpdate", after);
  if (before.dnd != after.dnd || before.dnd_settings != after.dnd_settings) contact("ContactDndUpdate", after);
}

void Events::task(std::string_view type, const Task& task, const Contact& contact) {
  if (!enabled_) return;
  JsonWriter json;
  begin(json, type, contact.location);
  json.member("id", task.id).member("contactId", contact.id).member("title", task.title);
  if (task.body) json.member("body", *task.body);
  if (task.assigned_to) json.member("assignedTo", *task.assigned_to);
  json.member("dateAdded", iso8601(task.added)).member("dueDate", task.due);
  close(json);
}

void Events::note(std::string_view type, const Note& note, const Contact& contact) {
  if (!enabled_) return;
  JsonWriter json;
  begin(json, type, contact.location);
  json.member("id", note.id).member("body", note.body).member("contactId", contact.id);
  json.member("dateAdded", iso8601(note.added));
  close(json);
}

void Events::opportunity(std::string_view type, const Item& item) {
  if (!enabled_) return;
  JsonWriter json;
  begin(json, type, item.location);
  for (const auto& [name, value] : item.members) {
    if (name != "locationId" && name != "followers") json.key(name).raw(value);
  }
  close(json);
}

}  // namespace simulator
