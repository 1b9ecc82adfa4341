// The gateway's own errors: `application/problem+json` (RFC 9457) with `Proxy-Status` (RFC 9209), so that its 429 or
// 502 is never taken for the upstream's. Names no personal data and no secret; `detail` says what the caller can do.
#pragma once

#include <string>
#include <string_view>

#include "gateway/server/reply.h"

namespace gateway::server {

struct Problem {
  int status = 500;
  std::string_view error;  // RFC 9209 section 2.3 error type ("connection_timeout", "http_request_error") or empty
  std::string_view type;   // the last part of the problem's type, in lower case with dashes: "unknown-operation"
  std::string_view title;
  std::string detail;
};

// Body: {"type":"https://contacts-gateway.dev/problems/TYPE","title":…,"status":…,"detail":…}
Response to_response(const Problem& problem);

}  // namespace gateway::server
