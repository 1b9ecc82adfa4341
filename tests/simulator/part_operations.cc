// Tasks, notes and appointments of one contact.
#include <algorithm>

#include "tests/simulator/operations.h"

namespace simulator {

namespace {

template <typename Part>
auto find_part(std::vector<Part>& parts, const std::string& id) {
  return std::find_if(parts.begin(), parts.end(), [&](const Part& part) { return part.id == id; });
}

Answer one_task(const Task& task, const Contact& contact, int status) {
  JsonWriter json;
  json.object().key("task");
  write_task(json, task, contact.id);
  json.end_object();
  return {status, json.take()};
}

Answer one_note(const Note& note, const Contact& contact, int status) {
  JsonWriter json;
  json.object().key("note");
  write_note(json, note, contact.id);
  json.end_object();
  return {status, json.take()};
}

Answer get_tasks(const Record& record) {
  JsonWriter json;
  json.object().key("tasks").array();
  for (const Task& task : record.tasks) write_task(json, task, record.contact->id);
  json.end_array().end_object();
  return {200, json.take()};
}

Answer get_notes(const Record& record) {
  JsonWriter json;
  json.object().key("notes").array();
  for (const Note& note : record.notes) write_note(json, note, record.contact->id);
  json.end_array().end_object();
  return {200, json.take()};
}

Answer create_task(Context& context, Record& record) {
  Task task;
  task.id = random_id(context.world.ids);
  task.added = context.now.wall;
  apply_body(task, context.body);
  record.tasks.push_back(task);
  context.events.task("TaskCreate", task, *record.contact);
  return one_task(task, *record.contact, 201);
}

Answer create_note(Context& context, Record& record) {
  Note note;
  note.id = random_id(context.world.ids);
  note.added = context.now.wall;
  apply_body(note, context.body);
  record.notes.insert(record.notes.begin(), note);  // the newest first
  context.events.note("NoteCreate", note, *record.contact);
  return one_note(note, *record.contact, 201);
}

}  // namespace

Answer run_task(Context& context, Record& record) {
  const Op op = context.route.operation->op;
  if (op == Op::GetTasks) return get_tasks(record);
  if (op == Op::CreateTask) return create_task(context, record);
  const auto task = find_part(record.tasks, context.route.other);
  if (task == record.tasks.end()) return not_found(context, "Task");
  if (op == Op::DeleteTask) {
    context.events.task("TaskDelete", *task, *record.contact);
    record.tasks.erase(task);
    return succeeded(context);
  }
  if (op != Op::GetTask) {
    const bool was_completed = task->completed;
    apply_body(*task, context.body);
    if (task->completed && !was_completed) context.events.task("TaskComplete", *task, *record.contact);
  }
  return one_task(*task, *record.contact, 200);
}

Answer run_note(Context& context, Record& record) {
  const Op op = context.route.operation->op;
  if (op == Op::GetNotes) return get_notes(record);
  if (op == Op::CreateNote) return create_note(context, record);
  const auto note = find_part(record.notes, context.route.other);
  if (note == record.notes.end()) return not_found(context, "Note");
  if (op == Op::DeleteNote) {
    context.events.note("NoteDelete", *note, *record.contact);
    record.notes.erase(note);
    return succeeded(context);
  }
  if (op == Op::UpdateNote) {
    apply_body(*note, context.body);
    context.events.note("NoteUpdate", *note, *record.contact);
  }
  return one_note(*note, *record.contact, 200);
}

Answer get_appointments(Context&, Record& record) {
  JsonWriter json;
  json.object().key("events").array();
  for (const Appointment& appointment : record.appointments) write_appointment(json, appointment, *record.contact);
  json.end_array().end_object();
  return {200, json.take()};
}

}  // namespace simulator
