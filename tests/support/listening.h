// How the project's programs tell their addresses: one JSON line with "event":"listening", a name and an address for
// each listener.
#pragma once

#include <string>
#include <string_view>

#include "tests/support/process.h"

namespace test_support {

// The address that the listener `name` of `process` has told on `stream`. Throws std::runtime_error with what the
// program wrote when it ends or is silent for `limit` instead.
std::string wait_for_address(Process& process, Stream stream, std::string_view name, milliseconds limit);

}  // namespace test_support
