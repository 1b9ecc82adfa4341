// Webhook events in the shapes of webhooks/*.json, still without signature: a change in the store makes one or more of
// them.
#pragma once

#include <string>
#include <vector>

#include "tests/simulator/call.h"
#include "tests/simulator/contact.h"
#include "tests/simulator/ids.h"
#include "tests/simulator/items.h"

namespace simulator {

// Collects the events of one operation; switched off it costs nothing.
class Events {
 public:
  Events(bool enabled, Now now, Random& random) : enabled_(enabled), now_(now), random_(random) {}

  void contact(std::string_view type, const Contact& contact);
  // What an update sends: ContactUpdate, and ContactTagUpdate and ContactDndUpdate where those changed.
  void update(const Contact& before, const Contact& after);
  void task(std::string_view type, const Task& task, const Contact& contact);
  void note(std::string_view type, const Note& note, const Contact& contact);
  void opportunity(std::string_view type, const Item& item);

  std::vector<std::string> take() { return std::move(bodies_); }

 private:
  void close(JsonWriter& json);

  bool enabled_;
  Now now_;
  Random& random_;
  std::vector<std::string> bodies_;
};

}  // namespace simulator
