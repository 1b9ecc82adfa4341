// What the documents demand of request bodies, in the words the API's validator uses ("title should not be empty").
#pragma once

#include <span>
#include <string>
#include <vector>

#include "tests/simulator/json.h"

namespace simulator {

enum class Body {
  None,
  Contact,
  NewContact,
  Task,
  NewTask,
  TaskStatus,
  NewNote,
  Note,
  Tags,
  Followers,
  BulkTags,
  BulkBusiness,
  Workflow
};

// What one member must be.
enum class Shape {
  String,
  Nullable,
  Boolean,
  Number,
  Object,
  Strings,
  Objects,
  Date,
  Email,
  DndSettings,
  InboundDnd,
  CustomFields
};
struct Rule {
  const char* name;
  Shape shape;
  bool required = false;
};
std::vector<std::string> complaints(std::span<const Rule> rules, const Value& body);

// Every complaint about `body`; none where it is right.
std::vector<std::string> complaints(Body kind, const Value& body);

}  // namespace simulator
