// The parameters of a query or a form (name=value pairs between '&'). Pure; any thread.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>

namespace policies {

// Each pair, name and value percent-decoded, plus as space; a name without '=' has an empty value.
void for_each_parameter(std::string_view query, const std::function<void(std::string_view, std::string_view)>& visit);

// How a decoded name may name a parameter. Servers differ: for some a name's case means nothing, for some `name[]`,
// `name[0]` and `[name]` are the same or an element of a list, and `name[word]` is a member of an object.
enum class Naming { No, Exactly, Otherwise, Object };
Naming naming_of(std::string_view name, std::string_view wanted);

// The first of that name; nothing where there is none.
std::optional<std::string> query_parameter(std::string_view query, std::string_view name);

}  // namespace policies
