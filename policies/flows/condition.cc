#include "policies/flows/condition.h"

#include <algorithm>
#include <charconv>
#include <vector>

namespace policies::flows {

enum class Test { Is, In, Present, Contains, Above, Below, Any, All, Not };

struct Condition::Node {
  Test test = Test::All;
  bool negated = false;
  std::optional<Path> path;
  Json operand;
  std::vector<Node> parts;
};

namespace {

struct Word {
  std::string_view name;
  Test test;
  bool negated = false;
};
constexpr Word kTests[] = {{"is", Test::Is},           {"is_not", Test::Is, true}, {"in", Test::In},
                           {"not_in", Test::In, true}, {"present", Test::Present}, {"contains", Test::Contains},
                           {"above", Test::Above},     {"below", Test::Below}};
constexpr Word kGroups[] = {{"any", Test::Any}, {"all", Test::All}, {"not", Test::Not}};

template <std::size_t N>
const Word* among(const Word (&words)[N], std::string_view name) {
  const auto found = std::find_if(std::begin(words), std::end(words), [&](const Word& w) { return w.name == name; });
  return found == std::end(words) ? nullptr : found;
}

std::string scalar(const Json& value) {
  const auto* text = value.as<std::string>();
  return text != nullptr ? *text : to_text(value);
}

// "5" and 5 are the same: forms send numbers as texts.
bool same(const Json& a, const Json& b) { return a == b || scalar(a) == scalar(b); }

std::optional<double> number_of(const Json& value) {
  const std::string text = scalar(value);
  double number = 0;
  const auto [rest, problem] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (problem != std::errc() || rest != text.data() + text.size()) return std::nullopt;
  return number;
}

bool contains(const Json& value, const Json& wanted) {
  if (const auto* items = value.as<Array>())
    return std::any_of(items->begin(), items->end(), [&](const Json& item) { return same(item, wanted); });
  const auto* text = value.as<std::string>();
  return text != nullptr && text->find(scalar(wanted)) != std::string::npos;
}

class Compiler {
 public:
  Compiler(const Scope& scope, Problems& problems) : scope_(scope), problems_(problems) {}

  Condition::Node node(const Json& written, const std::string& field) {
    if (written.as<Array>() != nullptr) return group(written, field, {"all", Test::All});
    const auto* members = written.as<Object>();
    if (members == nullptr) return wrong(written, field, "expected a condition, like {\"field\":…, \"is\":…}");
    if (members->size() == 1)
      if (const auto* word = among(kGroups, members->front().first))
        return group(members->front().second, field + "." + members->front().first, *word);
    return test(*members, written, field);
  }

 private:
  Condition::Node wrong(const Json& at, const std::string& field, std::string what) {
    problems_.push_back({at.line, field, std::move(what)});
    return {};
  }

  Condition::Node group(const Json& written, const std::string& field, const Word& word) {
    Condition::Node out;
    out.test = word.test;
    if (word.test == Test::Not) {
      out.parts.push_back(node(written, field));
      return out;
    }
    const auto* items = written.as<Array>();
    if (items == nullptr || items->empty()) return wrong(written, field, "expected a list of conditions");
    for (const auto& item : *items)
      out.parts.push_back(node(item, field + "[" + std::to_string(out.parts.size()) + "]"));
    return out;
  }

  Condition::Node test(const Object& members, const Json& written, const std::string& field) {
    Condition::Node out;
    const Word* chosen = nullptr;
    for (const auto& [name, value] : members) {
      if (name == "field") {
        out.path = compile_path(value, field + ".field", scope_, problems_);
        continue;
      }
      const auto* word = among(kTests, name);
      if (word == nullptr)
        return wrong(value, field + "." + name,
                     "unknown; a condition has \"field\" and one of is, is_not, in, not_in, present, contains, above, "
                     "below, or is any, all or not");
      if (chosen != nullptr) return wrong(value, field + "." + name, "a condition tests one thing; use \"all\"");
      chosen = word;
      out.test = word->test;
      out.negated = word->negated;
      out.operand = value;
      check_operand(value, field + "." + name, word->test);
    }
    if (written.find("field") == nullptr) return wrong(written, field, "\"field\" is missing");
    if (chosen == nullptr) return wrong(written, field, "says nothing about its field: is, in, present, …");
    if (out.test == Test::Present && out.operand == Json(false)) out.negated = true;
    return out;
  }

  void check_operand(const Json& value, const std::string& field, Test test) {
    if (test == Test::In && value.as<Array>() == nullptr) wrong(value, field, "expected a list");
    if (test == Test::Present && value.as<bool>() == nullptr) wrong(value, field, "expected true or false");
    if ((test == Test::Above || test == Test::Below) && value.as<Number>() == nullptr)
      wrong(value, field, "expected a number");
  }

  const Scope& scope_;
  Problems& problems_;
};

bool test_holds(const Condition::Node& node, const Json& known) {
  const Json* found = node.path ? node.path->in(known) : nullptr;
  static const Json kNothing;
  const Json& value = found != nullptr ? *found : kNothing;
  switch (node.test) {
    case Test::Is:
      return same(value, node.operand);
    case Test::In: {
      const auto& items = std::get<Array>(node.operand.value);
      return std::any_of(items.begin(), items.end(), [&](const Json& item) { return same(value, item); });
    }
    case Test::Present:
      return !value.is_empty();
    case Test::Contains:
      return contains(value, node.operand);
    default: {
      const auto number = number_of(value), limit = number_of(node.operand);
      if (!number || !limit) return false;
      return node.test == Test::Above ? *number > *limit : *number < *limit;
    }
  }
}

bool node_holds(const Condition::Node& node, const Json& known) {
  const auto part_holds = [&](const Condition::Node& part) { return node_holds(part, known); };
  switch (node.test) {
    case Test::Any:
      return std::any_of(node.parts.begin(), node.parts.end(), part_holds);
    case Test::All:
      return std::all_of(node.parts.begin(), node.parts.end(), part_holds);
    case Test::Not:
      return !node_holds(node.parts.front(), known);
    default:
      return test_holds(node, known) != node.negated;
  }
}

}  // namespace

Condition Condition::compile(const Json& written, const std::string& field, const Scope& scope, Problems& problems) {
  Condition condition;
  condition.node_ = std::make_shared<const Node>(Compiler(scope, problems).node(written, field));
  return condition;
}

bool Condition::holds(const Json& known) const { return !node_ || node_holds(*node_, known); }

}  // namespace policies::flows
