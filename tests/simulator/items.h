// What the resources beside contacts hold: items as their JSON members, without a lag. Guarded by the Simulator's lock.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace simulator {

struct Item {
  std::string location;                                        // empty: a user, who belongs to a company
  std::vector<std::pair<std::string, std::string>> members{};  // name and JSON text, in their order

  const std::string* find(std::string_view name) const;
  void set(std::string_view name, std::string json);
  std::string text(std::string_view name) const;  // of a string member; empty where there is none
};

struct Items {
  std::map<std::string, std::map<std::string, Item>> kinds;  // "business" -> id -> item
  std::size_t seeded = 0;
};

// Some of every kind for one location: "business000000000001", …; `contact` is who the opportunities are for.
void seed_items(Items& items, const std::string& location, const std::string& contact);

}  // namespace simulator
