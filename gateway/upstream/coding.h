// Bodies that the gateway itself reads (whole records, exports, flows, tokens, whose record it is): it asks for no
// coding, and an upstream that compresses all the same is understood. Clients get what the upstream sent, as it is.
// Pure; any thread.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "policies/fields.h"

namespace gateway::upstream {

// `body` without the coding that `fields` tell; nothing where it has none, where that is not gzip or deflate, where it
// is broken, or would be larger than any answer may be.
std::optional<std::string> decoded(const policies::Fields& fields, std::string_view body);

}  // namespace gateway::upstream
