#include "policies/catalogue.h"

#include <algorithm>
#include <stdexcept>

#include "policies/catalogue_entry.h"
#include "policies/percent.h"

namespace embedded {
extern const char contacts_catalogue[];
extern const char opportunities_catalogue[];
extern const char businesses_catalogue[];
extern const char custom_fields_catalogue[];
extern const char campaigns_catalogue[];
extern const char workflows_catalogue[];
extern const char users_catalogue[];
extern const char forms_catalogue[];
extern const char gateway_catalogue[];
}  // namespace embedded

namespace policies {

namespace {

constexpr std::size_t kLongestPath = 64;  // segments of a template, far more than any has

// The segment up to the next slash; `rest` is what follows that slash.
std::string_view take_segment(std::string_view& rest) {
  const std::size_t slash = rest.find('/');
  const std::string_view segment = rest.substr(0, slash);
  rest = slash == std::string_view::npos ? std::string_view{} : rest.substr(slash + 1);
  return segment;
}

// `raw` percent-decoded is `literal`, without decoding into memory.
bool spells(std::string_view raw, std::string_view literal) {
  if (raw.size() <= literal.size()) return raw == literal;  // what is encoded is longer
  std::size_t i = 0;
  for (const char expected : literal) {
    if (i >= raw.size()) return false;
    const auto byte = hex_pair(raw, i);
    if ((byte ? *byte : raw[i]) != expected) return false;
    i += byte ? 3 : 1;
  }
  return i == raw.size();
}

bool has_dot_segment(std::string_view decoded) {
  constexpr std::string_view kSlashes = "/\\";  // a server that decodes first takes either for a border
  for (;;) {
    const auto end = decoded.find_first_of(kSlashes);
    const auto segment = decoded.substr(0, end);
    if (segment == "." || segment == "..") return true;
    if (end == std::string_view::npos) return false;
    decoded.remove_prefix(end + 1);
  }
}

// RFC 3986 section 5.2.4 takes dot segments away, and many servers do so after decoding them: none may be forwarded.
bool acceptable(std::string_view segment) {
  if (segment.empty()) return false;
  if (segment.find('%') == std::string_view::npos) return segment != "." && segment != "..";
  if (!well_encoded(segment)) return false;
  std::string decoded;
  append_decoded(decoded, segment);
  return !has_dot_segment(decoded);
}

bool all_acceptable(std::string_view path) {
  for (std::size_t segments = 0; !path.empty(); ++segments)
    if (!acceptable(take_segment(path)) || segments == kLongestPath) return false;
  return true;
}

}  // namespace

std::string_view to_string(Kind kind) {
  switch (kind) {
    case Kind::Read:
      return "read";
    case Kind::Write:
      return "write";
    case Kind::Search:
      return "search";
  }
  return "unknown";
}

std::string_view to_string(InDoubt in_doubt) {
  switch (in_doubt) {
    case InDoubt::Refuse:
      return "refuse";
    case InDoubt::SendAgain:
      return "send-again";
  }
  return "unknown";
}

std::string_view Match::parameter(std::string_view name) const {
  for (std::size_t i = 0; i < parameter_count; ++i)
    if (parameters[i].first == name) return parameters[i].second;
  return {};
}

const Catalogue& Catalogue::builtin() {
  static const Catalogue catalogue({embedded::contacts_catalogue, embedded::opportunities_catalogue,
                                    embedded::businesses_catalogue, embedded::custom_fields_catalogue,
                                    embedded::campaigns_catalogue, embedded::workflows_catalogue,
                                    embedded::users_catalogue, embedded::forms_catalogue});
  return catalogue;
}

const Catalogue& Catalogue::own() {
  static const Catalogue catalogue({embedded::gateway_catalogue},
                                   static_cast<std::uint16_t>(builtin().operations().size()));
  return catalogue;
}

Catalogue::Catalogue(const std::vector<std::string_view>& json, std::uint16_t first) : first_(first), nodes_(1) {
  for (const auto& file : json)
    for (auto& operation : parse_catalogue(file)) add(std::move(operation));
}

void Catalogue::add(Operation operation) {
  if (find(operation.name) != nullptr) throw std::invalid_argument("catalogue: " + operation.name + " is there twice");
  const auto position = static_cast<std::uint16_t>(operations_.size());
  operation.index = static_cast<std::uint16_t>(first_ + position);
  operations_.push_back(operation);
  add_path(position, operation.path);
  for (const auto& alias : operation.aliases) add_path(position, alias);
}

void Catalogue::add_path(std::uint16_t operation, std::string_view path) {
  std::uint32_t at = 0;
  for (std::string_view rest = path.substr(1); !rest.empty();) {
    const std::string_view segment = take_segment(rest);
    const bool is_parameter = !parameter_of(segment).empty();
    auto& literals = nodes_[at].literals;
    const auto found = std::ranges::find(literals, segment, &std::pair<std::string, std::uint32_t>::first);
    std::uint32_t next = is_parameter ? nodes_[at].parameter : found == literals.end() ? 0 : found->second;
    if (next == 0) {
      next = static_cast<std::uint32_t>(nodes_.size());
      if (is_parameter)
        nodes_[at].parameter = next;
      else
        literals.emplace_back(segment, next);
      nodes_.emplace_back();
    }
    at = next;
  }
  for (const auto other : nodes_[at].operations)
    if (operations_[other].method == operations_[operation].method)
      throw std::invalid_argument("catalogue: " + operations_[operation].name + " has the path of " +
                                  operations_[other].name);
  nodes_[at].operations.push_back(operation);
}

// Depth first, the literal child before the parameter, and back where a literal leads nowhere: the path
// "/contacts/search/tasks" is the tasks of a contact called "search". As deep as the deepest template.
const Catalogue::Node* Catalogue::walk(std::uint32_t at, std::string_view rest, Parameters& parameters,
                                       std::size_t count) const {
  const Node& node = nodes_[at];
  if (rest.empty()) return node.operations.empty() ? nullptr : &node;
  const std::string_view segment = take_segment(rest);
  for (const auto& [literal, next] : node.literals)
    if (spells(segment, literal))
      if (const Node* found = walk(next, rest, parameters, count)) return found;
  if (node.parameter == 0 || count == Match::kMaxParameters) return nullptr;
  const Node* found = walk(node.parameter, rest, parameters, count + 1);
  if (found != nullptr) parameters[count] = segment;
  return found;
}

MatchResult Catalogue::choose(const Node& node, std::string_view method, const Parameters& parameters) const {
  const std::string_view wanted = method == "HEAD" ? "GET" : method;
  for (const auto index : node.operations) {
    const Operation& operation = operations_[index];
    if (operation.method != wanted) continue;
    Match match;
    match.operation = &operation;
    match.parameter_count = operation.parameter_names.size();
    for (std::size_t i = 0; i < match.parameter_count; ++i)
      match.parameters[i] = {operation.parameter_names[i], parameters[i]};
    return match;
  }
  WrongMethod wrong;
  for (const auto index : node.operations) {
    if (!wrong.allow.empty()) wrong.allow += ", ";
    wrong.allow += operations_[index].method;
    if (operations_[index].method == "GET") wrong.allow += ", HEAD";
  }
  return wrong;
}

MatchResult Catalogue::match(std::string_view method, std::string_view path) const {
  if (!path.starts_with('/')) return UnknownPath{};
  path.remove_prefix(1);
  Parameters parameters{};
  if (!all_acceptable(path)) return UnknownPath{};
  const Node* node = path.empty() ? nullptr : walk(0, path, parameters, 0);
  if (node == nullptr) return UnknownPath{};
  return choose(*node, method, parameters);
}

const Operation* Catalogue::find(std::string_view name) const {
  const auto found = std::ranges::find(operations_, name, &Operation::name);
  return found == operations_.end() ? nullptr : &*found;
}

}  // namespace policies
