#include "tests/simulator/routes.h"

#include "tests/simulator/call.h"
#include "tests/simulator/neighbours.h"

namespace simulator {

namespace {

constexpr Operation kOperations[] = {
    {Op::SearchContacts, "search-contacts-advanced", "POST", "/contacts/search", false, Body::None, 400},
    {Op::GetDuplicate, "get-duplicate-contact", "GET", "/contacts/search/duplicate", false, Body::None, 400},
    {Op::UpsertContact, "upsert-contact", "POST", "/contacts/upsert", true, Body::NewContact, 422},
    {Op::BulkTags, "create-association", "POST", "/contacts/bulk/tags/update/{type}", true, Body::BulkTags, 422},
    {Op::BulkBusiness, "add-remove-contact-from-business", "POST", "/contacts/bulk/business", true, Body::BulkBusiness,
     422},
    {Op::GetByBusiness, "get-contacts-by-businessId", "GET", "/contacts/business/{businessId}", false, Body::None, 422},
    {Op::CreateContact, "create-contact", "POST", "/contacts", true, Body::NewContact, 422},
    {Op::GetContacts, "get-contacts", "GET", "/contacts", false, Body::None, 422},
    {Op::GetContact, "get-contact", "GET", "/contacts/{contactId}", false, Body::None, 422},
    {Op::UpdateContact, "update-contact", "PUT", "/contacts/{contactId}", true, Body::Contact, 422},
    {Op::DeleteContact, "delete-contact", "DELETE", "/contacts/{contactId}", true, Body::None, 422},
    {Op::GetTasks, "get-all-tasks", "GET", "/contacts/{contactId}/tasks", false, Body::None, 400},
    {Op::CreateTask, "create-task", "POST", "/contacts/{contactId}/tasks", true, Body::NewTask, 422},
    {Op::GetTask, "get-task", "GET", "/contacts/{contactId}/tasks/{taskId}", false, Body::None, 400},
    {Op::UpdateTask, "update-task", "PUT", "/contacts/{contactId}/tasks/{taskId}", true, Body::Task, 422},
    {Op::DeleteTask, "delete-task", "DELETE", "/contacts/{contactId}/tasks/{taskId}", true, Body::None, 400},
    {Op::CompleteTask, "update-task-completed", "PUT", "/contacts/{contactId}/tasks/{taskId}/completed", true,
     Body::TaskStatus, 422},
    {Op::GetAppointments, "get-appointments-for-contact", "GET", "/contacts/{contactId}/appointments", false,
     Body::None, 422},
    {Op::AddTags, "add-tags", "POST", "/contacts/{contactId}/tags", true, Body::Tags, 422},
    {Op::RemoveTags, "remove-tags", "DELETE", "/contacts/{contactId}/tags", true, Body::Tags, 422},
    {Op::GetNotes, "get-all-notes", "GET", "/contacts/{contactId}/notes", false, Body::None, 400},
    {Op::CreateNote, "create-note", "POST", "/contacts/{contactId}/notes", true, Body::NewNote, 422},
    {Op::GetNote, "get-note", "GET", "/contacts/{contactId}/notes/{id}", false, Body::None, 422},
    {Op::UpdateNote, "update-note", "PUT", "/contacts/{contactId}/notes/{id}", true, Body::Note, 422},
    {Op::DeleteNote, "delete-note", "DELETE", "/contacts/{contactId}/notes/{id}", true, Body::None, 422},
    {Op::AddFollowers, "add-followers-contact", "POST", "/contacts/{contactId}/followers", true, Body::Followers, 422},
    {Op::RemoveFollowers, "remove-followers-contact", "DELETE", "/contacts/{contactId}/followers", true,
     Body::Followers, 422},
    {Op::RemoveFromAllCampaigns, "remove-contact-from-every-campaign", "DELETE",
     "/contacts/{contactId}/campaigns/removeAll", true, Body::None, 422},
    {Op::AddToCampaign, "add-contact-to-campaign", "POST", "/contacts/{contactId}/campaigns/{campaignId}", true,
     Body::None, 422},
    {Op::RemoveFromCampaign, "remove-contact-from-campaign", "DELETE", "/contacts/{contactId}/campaigns/{campaignId}",
     true, Body::None, 422},
    {Op::AddToWorkflow, "add-contact-to-workflow", "POST", "/contacts/{contactId}/workflow/{workflowId}", true,
     Body::Workflow, 422},
    {Op::RemoveFromWorkflow, "delete-contact-from-workflow", "DELETE", "/contacts/{contactId}/workflow/{workflowId}",
     true, Body::Workflow, 422},
};

std::string_view next_segment(std::string_view& path) {
  path.remove_prefix(1);  // the slash
  const auto end = path.find('/');
  const std::string_view segment = path.substr(0, end);
  path = end == std::string_view::npos ? std::string_view() : path.substr(end);
  return segment;
}

bool same_literal(std::string_view literal, std::string_view segment, bool v3) {
  if (literal == "removeAll" && v3) literal = "remove-all";
  return literal == segment;
}

bool match(const Operation& operation, std::string_view path, bool v3, Route& out) {
  std::string_view pattern = operation.path;
  std::string contact;
  std::string other;
  while (!pattern.empty() && !path.empty()) {
    const std::string_view expected = next_segment(pattern);
    const std::string_view segment = next_segment(path);
    if (segment.empty()) return false;
    if (expected.front() != '{') {
      if (!same_literal(expected, segment, v3)) return false;
    } else {
      (expected == "{contactId}" ? contact : other) = percent_decoded(segment, false);
    }
  }
  if (!pattern.empty() || !path.empty()) return false;
  out = {&operation, std::move(contact), std::move(other)};
  return true;
}

}  // namespace

std::span<const Operation> operations() { return kOperations; }

Route route(std::string_view method, std::string_view path, bool v3) {
  Route found;
  if (path.size() > 1 && path.back() == '/') path.remove_suffix(1);
  if (path.empty() || path.front() != '/') return found;
  for (const Operation& operation : kOperations) {
    if (operation.method == method && match(operation, path, v3, found)) break;
  }
  for (const Neighbour& neighbour : neighbours()) {
    if (found.operation != nullptr) break;
    if (neighbour.operation.method == method) match(neighbour.operation, path, v3, found);
  }
  // The other version's spelling would else be taken for a campaign of that name.
  if (found.operation != nullptr && found.operation->op == Op::RemoveFromCampaign &&
      (found.other == "removeAll" || found.other == "remove-all")) {
    return {};
  }
  return found;
}

}  // namespace simulator
