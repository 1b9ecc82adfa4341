// The upstream's events as data: what each is called, and what in the cache it makes stale. Built from
// `policies/catalogue/events.json` (embedded); immutable after construction, so any thread may read it. A malformed
// file throws std::invalid_argument naming the entry: a programming error.
#pragma once

#include <chrono>
#include <string>
#include <string_view>
#include <vector>

namespace policies {

struct Trigger {
  std::string name;                // the vendor's name of it, and the metric's label: "ContactUpdate"
  std::vector<std::string> types;  // what its body's `type` says; the name where the vendor gives no other
  // Surrogate keys as templates over the event's body: "contact:{appointment.contactId}:appointments". None: it
  // concerns nothing that is cached.
  std::vector<std::string> keys;
  std::vector<std::string> keys_if_unknown;  // besides, where the body does not say which contact
  std::chrono::milliseconds settle{0};       // how long upstream's own index may still lag behind the event
};

class Triggers {
 public:
  static const Triggers& builtin();
  explicit Triggers(std::string_view json);

  const std::vector<Trigger>& all() const { return all_; }
  const Trigger* find(std::string_view type) const;  // null: no event that is known

 private:
  std::vector<Trigger> all_;
};

// What the event `body` of this trigger invalidates, sorted, each once. A location that the body does not name stands
// for every location (surrogate_keys.h, rule 3).
std::vector<std::string> keys_of_event(const Trigger& trigger, std::string_view body);

}  // namespace policies
