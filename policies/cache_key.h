// The primary cache key of a read (RFC 9111 section 2) and its variants (section 4.1). Two requests share a key only if
// upstream cannot tell them apart by operation, location, `Version` and target; spellings that mean the same share one.
// Pure; any thread. Appends into the caller's buffer: no allocation for a GET once that has grown (up to 32 query
// parameters).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "policies/catalogue.h"
#include "policies/fields.h"

namespace policies {

struct CacheKeyInputs {
  const Match& match;
  std::string_view location;  // decoded, empty where unknown
  std::string_view version;   // of the upstream's API, as it will be sent
  std::string_view query;     // of the target, raw
  std::string_view body;
};

// Why a read has no key.
enum class Unkeyable : std::uint8_t {
  NotARead,  // Kind::Write
  Body,  // another read than a search has one; or the search body is no JSON, names a member twice, is deeper than 64
         // levels, not UTF-8, or too large
};
// Putting a body in order costs its size times its depth: past this a search is passed through.
inline constexpr std::size_t kLargestKeyedBody = 256 * 1024;

std::string_view to_string(Unkeyable reason);

// Appends "OPERATION LOCATION VERSION PARAMETER… ?QUERY {BODY}": words without spaces, each percent-encoded so that a
// space cannot occur in it, parameters of the path in the template's order, the query sorted by name (equal names keep
// their order: it may mean something) with encodings normalised. Nothing on success; on failure `key` is as it was.
std::optional<Unkeyable> append_cache_key(std::string& key, const CacheKeyInputs& inputs);

// Appends the JSON text with object members sorted by name, no whitespace, numbers as written, strings escaped in one
// way. False, and `out` as it was, for what Unkeyable::Body says.
bool append_canonical_json(std::string& out, std::string_view json);

// The values of the request fields that a stored answer's `Vary` names, as a suffix that tells its variants apart;
// empty for an empty Vary; nothing for "*": no request matches it. Equal for requests whose fields differ in order,
// case of names, spacing around commas or in being split over lines.
std::optional<std::string> vary_key(std::string_view vary, FieldsView request);

}  // namespace policies
