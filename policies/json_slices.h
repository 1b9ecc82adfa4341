// Values of a JSON text (RFC 8259) as the very bytes that were sent, so that what is put together of several answers
// keeps their numbers, escapes and order. Untrusted text: no recursion, at most kJsonDepth levels; a byte order
// mark is passed over. Pure; any thread.
#pragma once

#include <functional>
#include <optional>
#include <string_view>

namespace policies {

// Calls `found` for each member of an object (name unescaped) or element of an array (empty name), in order. False
// where the text is neither, broken or too deep; what was found before is given all the same.
bool json_children(std::string_view json, const std::function<void(std::string_view, std::string_view)>& found);

// The first member of that name; nothing where the text is no whole object or has none.
std::optional<std::string_view> json_member(std::string_view json, std::string_view name);

}  // namespace policies
