#include "tests/simulator/operations.h"

#include "tests/simulator/neighbours.h"

namespace simulator {

namespace {

std::string_view reason(int status) {
  switch (status) {
    case 400:
      return "Bad Request";
    case 401:
      return "Unauthorized";
    case 403:
      return "Forbidden";
    case 404:
      return "Not Found";
    case 422:
      return "Unprocessable Entity";
    default:
      return "";
  }
}

Answer run_on_contact(Context& context, Record& record) {
  switch (context.route.operation->op) {
    case Op::GetContact:
      return get_contact(context, record);
    case Op::UpdateContact:
      return update_contact(context, record);
    case Op::DeleteContact:
      return delete_contact(context, record);
    case Op::GetTasks:
    case Op::CreateTask:
    case Op::GetTask:
    case Op::UpdateTask:
    case Op::DeleteTask:
    case Op::CompleteTask:
      return run_task(context, record);
    case Op::GetNotes:
    case Op::CreateNote:
    case Op::GetNote:
    case Op::UpdateNote:
    case Op::DeleteNote:
      return run_note(context, record);
    case Op::GetAppointments:
      return get_appointments(context, record);
    default:
      return run_membership(context, record);
  }
}

}  // namespace

Answer error(int status, std::string_view message) {
  JsonWriter json;
  json.object().key("statusCode").number(static_cast<long long>(status)).member("message", message);
  // The API's own 401 and 429 bodies have these two members only.
  if (status != 401 && status != 429) json.member("error", reason(status));
  json.end_object();
  return {status, json.take()};
}

Answer unprocessable(int status, const std::vector<std::string>& messages) {
  if (status == 400) return error(400, messages.front());
  JsonWriter json;
  json.object().key("statusCode").number(static_cast<long long>(status));
  json.key("message").texts(messages).member("error", reason(status)).end_object();
  return {status, json.take()};
}

Answer not_found(const Context& context, std::string_view what) {
  return error(context.world.options.not_found_status, std::string(what) + " not found");
}

Answer forbidden() { return error(403, "The token does not have access to this location."); }

// 2021-07-28 misspells the member; v3 answers both spellings.
Answer succeeded(const Context& context, int status) {
  return {status, context.v3 ? R"({"succeeded":true,"succeded":true})" : R"({"succeded":true})"};
}

bool may_see(const Context& context, const std::string& location) {
  return context.token_location.empty() || context.token_location == location;
}

void store_changed(Context& context, Contact changed) {
  changed.updated = context.now.wall;
  context.world.store.put(std::make_shared<const Contact>(std::move(changed)), context.now.steady);
}

Record* addressed(Context& context, Answer& problem) {
  const Route& route = context.route;
  const int invalid = route.operation->invalid_status;
  Record* record = nullptr;
  if (!well_formed_id(route.contact)) {
    problem = unprocessable(invalid, {"contactId must be a valid id"});
  } else if (!route.other.empty() && !well_formed_id(route.other)) {
    problem = unprocessable(invalid, {"the second id of the path must be a valid id"});
  } else if (record = context.world.store.find(route.contact); record == nullptr) {
    problem = not_found(context, "Contact");
  } else if (!may_see(context, record->contact->location)) {
    problem = forbidden();
    record = nullptr;
  }
  return record;
}

Answer run(Context& context) {
  switch (context.route.operation->op) {
    case Op::CreateContact:
      return create_contact(context);
    case Op::UpsertContact:
      return upsert_contact(context);
    case Op::GetDuplicate:
      return get_duplicate(context);
    case Op::BulkTags:
      return bulk_tags(context);
    case Op::BulkBusiness:
      return bulk_business(context);
    case Op::GetContacts:
      return get_contacts(context);
    case Op::GetByBusiness:
      return get_by_business(context);
    case Op::SearchContacts:
      return search_contacts(context);
    case Op::Neighbour:
      return run_neighbour(context);
    default:
      break;
  }
  Answer problem;
  Record* record = addressed(context, problem);
  return record == nullptr ? problem : run_on_contact(context, *record);
}

}  // namespace simulator
