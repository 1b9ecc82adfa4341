// The creation of a contact that was sent and whose answer was lost: how to look for the contact, and whether what is
// found is the one. The upstream knows no Idempotency-Key, but it finds contacts by e-mail and phone. Pure functions.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <variant>

#include "policies/catalogue.h"
#include "policies/timestamp.h"

namespace policies {

// Path and query of get-duplicate-contact for what the `body` of an `operation` would have created. Nothing where that
// creates no contact, or one with neither e-mail nor phone: nothing finds it.
std::optional<std::string> duplicate_search(std::string_view operation, std::string_view location,
                                            std::string_view body);

// Whether sending it twice has the effect of once: as the catalogue says, but for an upsert that names nobody.
bool harmless_twice(const Operation& operation, std::string_view body);

struct NotThere {};
struct CreatedContact {
  std::string id;
};
struct Unclear {};  // one that was there before, or an answer that cannot be read
using ContactSought = std::variant<NotThere, CreatedContact, Unclear>;

// `answer`: of that search. `sent_at`: when the creation was sent, by our clock; the upstream's may differ by a minute.
ContactSought judge_duplicate(std::string_view answer, WallMillis sent_at);

}  // namespace policies
