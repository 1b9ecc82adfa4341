// Listening addresses as settings write them: "127.0.0.1:8080", "[::1]:8080", "unix:PATH". Pure.
#pragma once

#include <string_view>

namespace gateway::config {

bool valid_address(std::string_view address);

// False for loopback addresses and unix sockets. Only for valid addresses.
bool reachable_by_others(std::string_view address);

}  // namespace gateway::config
