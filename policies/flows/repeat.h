// How a step is made again when nobody knows whether it was applied: the upstream knows no Idempotency-Key, so what a
// repeat does there depends on the operation. Pure; any thread.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "policies/catalogue.h"

namespace policies::flows {

enum class Repeat : std::uint8_t {
  Safe,    // reads, PUT, DELETE, and a POST that changes nothing the second time (upsert, tags, followers)
  Marked,  // what it makes carries the run's ref, by which it is looked for before it is made again
  Unsure,  // it is not made again: the run ends in the dead letters, for somebody to look at
};

// Where a marked thing is looked for.
struct Marking {
  std::string_view list;    // the operation that lists its siblings, with the same path parameters: "get-all-tasks"
  std::string_view member;  // of the list's answer: "tasks"
  std::string_view one;     // of the answer that made it: "task"
  std::string_view field;   // holds the ref, and must be given by the mapping: "body"
};

Repeat repeat_of(const Operation& operation);
const Marking* marking_of(const Operation& operation);  // null where it is not Marked

// `text` with the ref in a line of its own at the end.
std::string marked(std::string_view text, std::string_view ref);

}  // namespace policies::flows
