// Surrogate keys as one binary-safe string, "4:some5:other" (netstrings without the comma), for the invalidation log
// and its channel; and the numbers of script replies. Malformed input gives what could be read before the fault and
// says so.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "gateway/redis/client.h"

namespace gateway::cache {

std::string netstrings(const std::vector<std::string>& keys);
std::optional<std::vector<std::string>> parse_netstrings(std::string_view text);

// "EPOCH POSITION REST", as the channels carry it.
struct LogMessage {
  std::uint64_t epoch = 0;
  std::uint64_t position = 0;
  std::string_view rest;
};
std::optional<LogMessage> parse_log_message(std::string_view text);

// An integer reply, or a string reply of decimal digits; 0 for anything else.
std::uint64_t number_of(const redis::Value& value);

}  // namespace gateway::cache
