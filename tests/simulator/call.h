// One request as the simulator's logic sees it, and what it answers: plain owned values, so that a call can wait on a
// timer for its latency after the connection's buffers are gone, and tests need no socket.
#pragma once

#include <chrono>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace simulator {

// Both clocks of one moment: `steady` for limits, lag and token lives; `wall` (since 1970) for dates in bodies.
struct Now {
  std::chrono::microseconds steady{0};
  std::chrono::milliseconds wall{0};
};
using Clock = std::function<Now()>;

struct Call {
  std::string method;
  std::string path;   // still percent-encoded, without the query
  std::string query;  // without '?'
  std::string body;
  // The only header fields the API looks at; empty where absent.
  std::string authorization;
  std::string version;
  std::string location;  // `locationId` or `X-Location-Id`
  std::string fault;     // `X-Simulator-Fault`
  std::string idempotency_key;
  std::string if_none_match;
  std::string accept_language;
};

struct Answer {
  int status = 200;
  std::string body;
  std::vector<std::pair<std::string, std::string>> fields{};  // without Content-Type and framing
};

std::string percent_decoded(std::string_view text, bool plus_is_space);

// The first value of `name` in a query or form body, decoded; nothing where it is absent.
std::optional<std::string> form_value(std::string_view form, std::string_view name);

// "250ms", "30s", "5m", "24h", "0"; nothing where it is malformed or negative.
std::optional<std::chrono::milliseconds> parse_duration(std::string_view text);

// "2021-07-02T05:18:26.704Z" from milliseconds since 1970.
std::string iso8601(std::chrono::milliseconds wall);

// Whether `text` begins like an ISO 8601 date, "2020-10-25" or "2020-10-25T11:00:00Z".
bool looks_like_date(std::string_view text);

}  // namespace simulator
