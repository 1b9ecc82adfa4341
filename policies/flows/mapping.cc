#include "policies/flows/mapping.h"

#include <algorithm>

#include "policies/flows/mapping_rule.h"

namespace policies::flows {

namespace {

constexpr std::string_view kRoots = "event, run, steps";
constexpr std::string_view kOfRun[] = {"id", "ref", "time", "kind", "type", "source", "location"};

bool is_rule(const Object& members) {
  return std::any_of(members.begin(), members.end(), [](const Member& m) { return m.first.starts_with('$'); });
}

std::string joined(const std::vector<std::string>& names) {
  std::string all;
  for (const auto& name : names) all += (all.empty() ? "" : ", ") + name;
  return all.empty() ? "none" : all;
}

std::optional<std::string> path_problem(const Path& path, const Scope& scope) {
  const auto& root = path.root();
  const auto next = path.second();
  if (root == "event") return std::nullopt;
  if (root == "item")
    return scope.item ? std::nullopt : std::optional<std::string>("'item' is known only in a step with \"each\"");
  if (root == "run") {
    if (std::find(std::begin(kOfRun), std::end(kOfRun), next) != std::end(kOfRun)) return std::nullopt;
    return "'" + path.text() + "': of a run there are id, ref, time, kind, type, source and location";
  }
  if (root == "steps") {
    if (std::find(scope.steps.begin(), scope.steps.end(), next) != scope.steps.end()) return std::nullopt;
    return "'" + path.text() + "': no step '" + next + "' comes before this one (" + joined(scope.steps) + ")";
  }
  return "'" + path.text() + "': a path begins with one of " + std::string(kRoots) + ": event." + path.text() + "?";
}

}  // namespace

std::optional<Path> compile_path(const Json& written, const std::string& field, const Scope& scope,
                                 Problems& problems) {
  const auto* text = written.as<std::string>();
  if (text == nullptr) {
    problems.push_back({written.line, field, "expected a path as text, like \"event.email\""});
    return std::nullopt;
  }
  auto path = Path::parse(*text);
  if (auto* why = std::get_if<std::string>(&path)) {
    problems.push_back({written.line, field, *why});
    return std::nullopt;
  }
  if (auto why = path_problem(std::get<Path>(path), scope)) {
    problems.push_back({written.line, field, *why});
    return std::nullopt;
  }
  return std::get<Path>(std::move(path));
}

Mapping::Node compile_node(const Json& written, const std::string& field, const Scope& scope, Problems& problems) {
  Mapping::Node node{field, Json()};
  if (const auto* items = written.as<Array>()) {
    std::vector<Mapping::Node> parts;
    for (const auto& item : *items)
      parts.push_back(compile_node(item, field + "[" + std::to_string(parts.size()) + "]", scope, problems));
    node.content = std::move(parts);
  } else if (const auto* members = written.as<Object>(); members != nullptr && is_rule(*members)) {
    node.content = compile_rule(written, field, scope, problems);
  } else if (members != nullptr) {
    std::vector<std::pair<std::string, Mapping::Node>> parts;
    for (const auto& [name, member] : *members)
      parts.emplace_back(name, compile_node(member, field.empty() ? name : field + "." + name, scope, problems));
    node.content = std::move(parts);
  } else {
    node.content = written;
  }
  return node;
}

// A part that says "drop-parent" takes the object it stands in with it, and no more than that.
std::optional<Json> evaluate_node(const Mapping::Node& node, const Json& known) {
  if (const auto* constant = std::get_if<Json>(&node.content)) return *constant;
  if (const auto* rule = std::get_if<std::shared_ptr<const Rule>>(&node.content))
    return evaluate_rule(**rule, node.field, known);
  if (const auto* items = std::get_if<std::vector<Mapping::Node>>(&node.content)) {
    Array out;
    for (const auto& item : *items)
      if (auto value = evaluate_node(item, known)) out.push_back(std::move(*value));
    if (out.empty() && !items->empty()) return std::nullopt;
    return Json(std::move(out));
  }
  const auto& members = std::get<std::vector<std::pair<std::string, Mapping::Node>>>(node.content);
  Object out;
  try {
    for (const auto& [name, member] : members)
      if (auto value = evaluate_node(member, known)) out.emplace_back(name, std::move(*value));
  } catch (const DropParent&) {
    return std::nullopt;
  }
  if (out.empty() && !members.empty()) return std::nullopt;
  return Json(std::move(out));
}

Mapping Mapping::compile(const Json& written, const std::string& field, const Scope& scope, Problems& problems) {
  Mapping mapping;
  mapping.node_ = std::make_shared<const Node>(compile_node(written, field, scope, problems));
  return mapping;
}

Mapping::Result Mapping::evaluate(const Json& known) const try {
  if (!node_) return std::optional<Json>();
  return evaluate_node(*node_, known);
} catch (const Failed& failed) {
  return failed.error;
} catch (const DropParent&) {
  return std::optional<Json>();
} catch (const SkipStep&) {
  return Skipped{};
}

}  // namespace policies::flows
