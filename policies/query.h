// The parameters of a query or a form (name=value pairs between '&'). Pure; any thread.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>

namespace policies {

// Each pair, name and value percent-decoded, plus as space; a name without '=' has an empty value.
void for_each_parameter(std::string_view query, const std::function<void(std::string_view, std::string_view)>& visit);

// The first of that name; nothing where there is none.
std::optional<std::string> query_parameter(std::string_view query, std::string_view name);

}  // namespace policies
