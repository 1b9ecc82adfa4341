// Paths outside the catalogue, where `passthrough.enabled` lets them go upstream: which may, as what, and what they
// touch. Nothing is known of such an operation, so the careful assumption stands for each question:
//   - GET and HEAD are reads. Every other method is a write that may have changed anything of its location: it makes
//     all entries of that location stale, and those of all locations where it names none;
//   - a read (cached only with passthrough.cache = origin, for as long as the upstream's Cache-Control or Expires
//     says) depends on everything of its location: any write there makes it stale;
//   - only reads are repeated after a failure;
//   - a client restricted to locations may not use them, since they may reach beyond one.
// Never passed on: /oauth (answers hold tokens), the gateway's own paths, CONNECT and TRACE, and paths whose segments
// an upstream could read differently ("..", encoded slashes). Pure; any thread.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "policies/catalogue.h"

namespace policies {

// Their index follows those of Catalogue::builtin() and own(); read and write share it.
std::uint16_t passthrough_index();
bool is_passthrough(const Operation& operation);

// Nothing: it may not pass. `path` without query; views into it.
std::optional<Match> passthrough_match(std::string_view method, std::string_view path);

}  // namespace policies
