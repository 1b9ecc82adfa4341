// `POST /cache/purge`: drops entries by surrogate key, by location, or all. Body, exactly one of
//   {"keys":["contact:ID", …]}   {"location":"ID"}   {"all":true}
// Answers 200 {"purged":N}, N the entries dropped here (others that share the cache drop theirs by the same
// invalidation).
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "gateway/admin/admin.h"

namespace gateway::admin {

struct Purge {
  std::vector<std::string> keys;  // surrogate keys
  std::string location;
  bool all = false;
};

// What is wrong with the body, in one line.
struct BadPurge {
  std::string why;
};
std::variant<Purge, BadPurge> parse_purge(std::string_view body);

struct Purged {
  bool done = true;
  std::uint64_t entries = 0;
  std::string why;  // where it is not done
};
// Called on an admin worker's thread; `done` may be called from any thread, once.
using PurgeFunction = std::function<void(Purge purge, std::function<void(Purged)> done)>;

Route purge_route(PurgeFunction purge);

}  // namespace gateway::admin
