// What variables and flags share: values that are texts, and the names of variables.
#pragma once

#include <string>
#include <string_view>

#include "gateway/config/given.h"

namespace gateway::config {

inline constexpr std::string_view kVariablePrefix = "GATEWAY_";

std::string in_capitals(std::string_view path);    // "cache.memory_bytes" -> "CACHE_MEMORY_BYTES"
std::string variable_name(std::string_view path);  // the same with the prefix
bool in_list(const Setting& setting);              // a member of a list's elements: only within its list

// A list is written as JSON text; a text list may also be one plain text.
void put_text(const Found& found, const std::string& path, Source source, const std::string& origin,
              const std::string& text, Givens& givens, Problems& problems);

}  // namespace gateway::config
