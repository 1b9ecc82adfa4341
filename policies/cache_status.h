// The Cache-Status field (RFC 9211): what this gateway's cache did with a request. Pure; any thread; appends into the
// caller's buffer and allocates nothing once that has grown.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace policies {

// Why a request went upstream (RFC 9211 section 2.2). None: it did not.
enum class Forward : std::uint8_t { None, Bypass, Method, UriMiss, VaryMiss, Miss, Request, Stale };
std::string_view to_string(Forward forward);

struct CacheStatus {
  bool hit = false;  // answered from the cache; with a reason to forward as well `hit` is left out (section 2.1)
  Forward forward = Forward::None;
  int forward_status = 0;  // what upstream answered, where that is not what the client got; 0: left out
  std::optional<std::chrono::seconds> ttl;  // freshness left, negative for stale
  bool stored = false;                      // this answer was stored
  bool collapsed = false;                   // shared another request's fetch
  std::string_view detail;                  // a word or two in ASCII: "memory", "redis", "stale-if-error"; empty: none
};

// Appends "contacts-gateway; hit; ttl=25; detail=memory", without the field's name.
void append_cache_status(std::string& out, const CacheStatus& status);

}  // namespace policies
