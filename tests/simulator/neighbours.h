// The 37 operations of opportunities, businesses, custom fields, campaigns, workflows, users and forms as a table: each
// does one of a few deeds to items of one kind, and its answer is a text with names to fill in.
#pragma once

#include <span>

#include "tests/simulator/routes.h"
#include "tests/simulator/validation.h"
#include "tests/simulator/world.h"

namespace simulator {

enum class Deed { List, Get, Create, Update, Delete, Upsert, AddFollowers, RemoveFollowers, Upload };

struct Neighbour {
  Operation operation;
  Deed deed;
  const char* kind;
  int status;                   // of its success
  const char* answer;           // $item, $items, $total, $folders, $id, $key, $new, $followers, $changed
  std::span<const Rule> body;   // what its body must be; empty: it has none
  const char* query = nullptr;  // a parameter that must be there
};
std::span<const Neighbour> neighbours();

// The operation of `context.route`, one of these; validates its body too.
Answer run_neighbour(Context& context);

}  // namespace simulator
