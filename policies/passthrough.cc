#include "policies/passthrough.h"

#include <algorithm>
#include <array>
#include <string>

#include "policies/fields.h"
#include "policies/percent.h"

namespace policies {

namespace {

Operation make(Kind kind) {
  Operation operation;
  operation.index = passthrough_index();
  operation.name = "other";
  operation.kind = kind;
  operation.idempotent = kind == Kind::Read;
  operation.keys = {"location:{locationId}", "location:{locationId}:contacts"};
  operation.times.fresh = std::chrono::hours{24};  // at most, and as the upstream says
  operation.times.explicit_only = true;
  operation.times.settle = std::chrono::seconds{2};
  operation.resource = "passthrough";
  operation.company = true;
  return operation;
}

// One segment decoded; false where an upstream could read another path out of it.
bool plain(std::string_view segment, std::string& decoded) {
  decoded.clear();
  if (!well_encoded(segment)) return false;
  append_decoded(decoded, segment);
  if (decoded == "." || decoded == ".." || decoded.find('%') != std::string::npos) return false;
  return std::none_of(decoded.begin(), decoded.end(), [](char c) {
    return c == '/' || c == '\\' || c == ';' || static_cast<unsigned char>(c) < 0x20 || c == 0x7f;
  });
}

bool kept_here(std::string_view first_segment) {
  constexpr std::array<std::string_view, 3> kKept{"oauth", "gateway", "webhooks"};
  return std::any_of(kKept.begin(), kKept.end(), [&](auto kept) { return same_name(kept, first_segment); });
}

bool may_pass(std::string_view method) {
  constexpr std::array<std::string_view, 7> kMethods{"GET", "HEAD", "OPTIONS", "POST", "PUT", "PATCH", "DELETE"};
  return std::find(kMethods.begin(), kMethods.end(), method) != kMethods.end();
}

}  // namespace

std::uint16_t passthrough_index() {
  return static_cast<std::uint16_t>(Catalogue::builtin().operations().size() + Catalogue::own().operations().size());
}

bool is_passthrough(const Operation& operation) { return operation.index == passthrough_index(); }

std::optional<Match> passthrough_match(std::string_view method, std::string_view path) {
  static const Operation read = make(Kind::Read), write = make(Kind::Write);
  if (!path.starts_with('/') || !may_pass(method)) return std::nullopt;
  Match match;
  match.operation = method == "GET" || method == "HEAD" ? &read : &write;
  match.parameters[match.parameter_count++] = {"path", path};
  std::string decoded;
  bool first = true, names_location = false;
  for (std::string_view rest = path.substr(1); !rest.empty();) {
    const auto end = std::min(rest.find('/'), rest.size());
    const auto segment = rest.substr(0, end);
    rest.remove_prefix(std::min(end + 1, rest.size()));
    if (segment.empty()) continue;
    if (!plain(segment, decoded) || (first && kept_here(decoded))) return std::nullopt;
    if (names_location && match.parameter_count == 1 && decoded != "search")
      match.parameters[match.parameter_count++] = {"locationId", segment};
    names_location = decoded == "locations";
    first = false;
  }
  return match;
}

}  // namespace policies
