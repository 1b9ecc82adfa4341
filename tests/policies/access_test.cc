#include "policies/access.h"

#include <doctest/doctest.h>

using namespace policies;

namespace {

std::string told(const AccessRules& rules, Kind kind, std::string_view location) {
  const auto result = access_of(rules, kind, location);
  if (const auto* forbidden = std::get_if<Forbidden>(&result))
    return forbidden->reason == Forbidden::Reason::Operation ? "operation" : "location";
  return "allowed";
}

}  // namespace

TEST_SUITE_BEGIN("access");

TEST_CASE("clients, locations and operations, all combinations") {
  for (const bool may_read : {true, false}) {
    for (const bool may_write : {true, false}) {
      for (const bool restricted : {true, false}) {
        for (const Kind kind : {Kind::Read, Kind::Search, Kind::Write}) {
          for (const std::string_view location : {"L1", "L2", "L3", "nowhere", ""}) {
            AccessRules rules{.locations = {}, .may_read = may_read, .may_write = may_write};
            if (restricted) rules.locations = {"L2", "L1"};
            const bool operation = kind == Kind::Write ? may_write : may_read;
            const bool place = !restricted || location == "L1" || location == "L2";
            CHECK(told(rules, kind, location) == (!operation ? "operation" : place ? "allowed" : "location"));
          }
        }
      }
    }
  }
}

TEST_CASE("what reaches beyond one location is for clients of all locations") {
  Operation operation;
  operation.company = true;
  const auto allowed = [&](const AccessRules& rules) {
    return std::holds_alternative<Allowed>(access_of(rules, operation, "L1"));
  };
  CHECK(allowed({}));
  CHECK_FALSE(allowed({.locations = {"L1"}}));
  CHECK_FALSE(allowed({.may_read = false}));
  operation.company = false;
  CHECK(allowed({.locations = {"L1"}}));
}

TEST_CASE("a client gets no better urgency than its own best") {
  const AccessRules rules{.best_urgency = 3};
  CHECK(granted_urgency(rules, 0) == 3);
  CHECK(granted_urgency(rules, 3) == 3);
  CHECK(granted_urgency(rules, 6) == 6);
  CHECK(granted_urgency({}, 0) == 0);
  CHECK(granted_urgency({.best_urgency = 9}, 0) == 7);
  CHECK(granted_urgency({}, 99) == 7);
}

TEST_SUITE_END();
