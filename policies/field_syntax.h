// What most field values are built from (RFC 9110 section 5.6): lists, optional whitespace, quotes. Pure; any thread;
// views into the text they are given.
#pragma once

#include <string_view>

namespace policies {

std::string_view trimmed(std::string_view text);   // without spaces and tabs around
std::string_view unquoted(std::string_view text);  // without the quotes around; what is escaped inside stays so

// The next element of a comma-separated list, trimmed; `rest` is what follows its comma. Commas inside quotes part
// nothing.
std::string_view take_element(std::string_view& rest);

}  // namespace policies
