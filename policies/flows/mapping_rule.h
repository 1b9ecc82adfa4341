// One rule of the mapping language as compiled, and what it does to a value. Private to mapping*.cc.
#pragma once

#include "policies/flows/date.h"
#include "policies/flows/mapping.h"

namespace policies::flows {

// What becomes of a value that is not there: null, "", [] or {}, before and after the rule's work.
enum class Empty { Drop, DropParent, Null, Keep, Error, Skip };

// "{event.first} {event.last}"
struct TextPiece {
  std::string literal;
  std::optional<Path> path;
};

struct Rule {
  std::vector<Path> from;
  std::vector<TextPiece> text;
  std::optional<Json> constant;
  std::vector<Mapping::Node> all;

  bool trim = false, lower = false, upper = false, looks_up = false;
  std::string split, phone, type;
  std::optional<std::string> date;
  std::shared_ptr<const Zone> zone;
  std::chrono::milliseconds plus{0};
  bool date_only = false;
  Object table;
  std::shared_ptr<const Mapping::Node> otherwise, fallback;
  Empty empty = Empty::Drop;
};

struct Mapping::Node {
  std::string field;
  std::variant<Json, std::vector<std::pair<std::string, Node>>, std::vector<Node>, std::shared_ptr<const Rule>> content;
};

// Thrown while a mapping is evaluated, caught by Mapping::evaluate().
struct DropParent {};
struct SkipStep {};
struct Failed {
  MappingError error;
};

std::optional<Json> evaluate_node(const Mapping::Node& node, const Json& known);
std::optional<Json> evaluate_rule(const Rule& rule, const std::string& field, const Json& known);

Mapping::Node compile_node(const Json& written, const std::string& field, const Scope& scope, Problems& problems);
std::shared_ptr<const Rule> compile_rule(const Json& written, const std::string& field, const Scope& scope,
                                         Problems& problems);

}  // namespace policies::flows
