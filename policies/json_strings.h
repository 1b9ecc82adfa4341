// What a JSON text (RFC 8259) says at one place, read once from beginning to end without building a document. Untrusted
// text: no recursion, at most kJsonDepth levels; a byte order mark before it is passed over. Pure; any thread.
#pragma once

#include <functional>
#include <string_view>

namespace policies {

inline constexpr std::size_t kJsonDepth = 64;

std::string_view without_mark(std::string_view json);  // without a byte order mark (RFC 8259 section 8.1)

enum class JsonText {
  Whole,
  Broken
};  // Broken: no JSON, or deeper than kJsonDepth; what was found before is given all the same

// Calls `found` for each string (unescaped) and number (as written) at `path`, member names joined by dots. Arrays on
// the way and at the end are walked through; a name that is there twice is given twice. The view lasts for the call.
// `object`: becomes true where an object stands there, or in an array there.
JsonText json_strings(std::string_view json, std::string_view path, const std::function<void(std::string_view)>& found,
                      bool* object = nullptr);

}  // namespace policies
