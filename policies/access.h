// May this client do this? Decided from the client's own rules and the request alone, so that the answer is the same
// whether or not a location exists. Pure; any thread; no allocation.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "policies/catalogue.h"

namespace policies {

struct AccessRules {
  std::vector<std::string> locations;  // sorted or not; empty: all
  bool may_read = true;                // Kind::Read and Kind::Search
  bool may_write = true;
  int best_urgency = 0;  // the best (lowest) RFC 9218 urgency it gets, whatever it asks for

  bool restricted() const { return !locations.empty(); }  // LocationInputs::restricted
};

struct Allowed {};
struct Forbidden {  // answered 403
  enum class Reason : std::uint8_t { Operation, Location, Company };
  Reason reason;
};
std::string_view to_string(Forbidden::Reason reason);  // one sentence for the problem body

// `location`: empty where unknown: then only a client of all locations may pass.
std::variant<Allowed, Forbidden> access_of(const AccessRules& rules, Kind kind, std::string_view location);
// The same, and an operation that reaches beyond one location is for clients of all locations only.
std::variant<Allowed, Forbidden> access_of(const AccessRules& rules, const Operation& operation,
                                           std::string_view location);

int granted_urgency(const AccessRules& rules, int asked);

}  // namespace policies
