// How urgent a request is and how long its client would wait: `Priority` (RFC 9218) and `Prefer: wait=S` (RFC 7240
// section 4.3). A field that is broken counts as absent: it asks for a favour, and a request never fails for it. Pure;
// any thread; no allocation.
#pragma once

#include <chrono>
#include <optional>

#include "policies/fields.h"

namespace policies {

struct Priority {
  int urgency = 3;           // 0 (first) to 7; RFC 9218 section 4.1
  bool incremental = false;  // section 4.2; not acted on: answers share no connection
  bool operator==(const Priority&) const = default;
};

// All Priority lines are one dictionary (RFC 8941 section 4.2): later members win, one error voids them all; unknown
// members, and known ones of a wrong type or out of range, are ignored.
Priority priority_of(FieldsView fields);

// Of several waits the first counts (RFC 7240 section 2); nothing where none is given or it is no number of seconds.
std::optional<std::chrono::seconds> preferred_wait(FieldsView fields);

}  // namespace policies
