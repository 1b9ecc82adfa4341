// A request as libcurl shall write it: checked so that no field, method or target can break out of its line, with the
// hop-by-hop fields and those that libcurl writes itself taken out (RFC 9110 sections 5.5, 5.6.2, 7.6.1). Pure.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "gateway/upstream/client.h"

namespace gateway::upstream {

// True for fields that belong to one connection: the fixed ones and those that `connection` (all Connection values
// joined) names.
bool is_hop_by_hop(std::string_view name, std::string_view connection);

// Why the request cannot be sent; nothing where it can. The words hold none of its text.
std::optional<std::string_view> unsendable(const Request& request);

// Whether it is sent as libcurl's POST, with a length and a body, whatever its method.
bool carries_body(const Request& request);

// Field lines in libcurl's notation: "Name: value", "Name;" for an empty value, "Name:" for one libcurl must not add.
std::vector<std::string> request_lines(const Request& request);

}  // namespace gateway::upstream
