// The rows of the settings table, by what they are about; table.cc puts them together in this order. Only the files
// gateway/config/table*.cc include this.
#pragma once

#include "gateway/config/table.h"

namespace gateway::config {

std::span<const Setting> edge_rows();         // addresses, the upstream, threads, TLS, logs, flows, tracing
std::span<const Setting> credentials_rows();  // tokens, OAuth, clients, webhook keys
std::span<const Setting> cache_rows();        // Redis, cache, rate limits, retries

inline constexpr std::uint64_t kSecond = 1'000, kMinute = 60 * kSecond, kHour = 60 * kMinute, kDay = 24 * kHour;
inline constexpr std::uint64_t kMiB = 1ull << 20, kTiB = 1ull << 40;

inline Secret secret(const Value& value) { return Secret{value.text, value.file}; }

}  // namespace gateway::config

// One row's `apply`: what to do with a checked value. `s` are the settings, `id` what stood for "<id>", `v` the value.
#define APPLY(...) [](Settings& s, [[maybe_unused]] const std::string& id, const Value& v) { __VA_ARGS__; }
