// The 32 operations of contacts-openapi.json as a table: method, path, scope, what its body must look like and which
// status a bad request gets (422 where the document has it, else 400). Literal segments come before parameters, so the
// first match is right.
#pragma once

#include <array>
#include <span>
#include <string>
#include <string_view>

#include "tests/simulator/validation.h"

namespace simulator {

enum class Op {
  SearchContacts,
  GetDuplicate,
  GetTasks,
  CreateTask,
  GetTask,
  UpdateTask,
  DeleteTask,
  CompleteTask,
  GetAppointments,
  AddTags,
  RemoveTags,
  GetNotes,
  CreateNote,
  GetNote,
  UpdateNote,
  DeleteNote,
  BulkTags,
  BulkBusiness,
  GetContact,
  UpdateContact,
  DeleteContact,
  UpsertContact,
  GetByBusiness,
  AddFollowers,
  RemoveFollowers,
  AddToCampaign,
  RemoveFromCampaign,
  RemoveFromAllCampaigns,
  AddToWorkflow,
  RemoveFromWorkflow,
  CreateContact,
  GetContacts,
  Neighbour  // one of another document, see neighbours.h
};

struct Operation {
  Op op;
  const char* name;  // the document's operationId
  const char* method;
  const char* path;
  bool write;  // scope contacts.write, else contacts.readonly
  Body body;
  int invalid_status;
  const char* scope = nullptr;  // null: contacts', by `write`
};
std::span<const Operation> operations();  // of contacts

struct Route {
  const Operation* operation = nullptr;  // null: no such route
  std::string contact;                   // decoded {contactId}
  std::string other;                     // the second parameter, or the only one that is no contact
};

// `path` with or without one trailing slash. v3 spells one literal in another way: campaigns/remove-all.
Route route(std::string_view method, std::string_view path, bool v3);

}  // namespace simulator
