// Why the server itself turned a request away. The connection is closed after the answer: its framing can't be trusted
// any more.
#pragma once

#include <string_view>

namespace gateway::server {

struct Refusal {
  int status;
  std::string_view reason;  // stable: the problem's type, the metric's label, the log's field
  std::string_view detail;  // what was wrong, for the caller; never the caller's own bytes
};

namespace refusal {
inline constexpr Refusal kRequestLine{400, "malformed-request-line",
                                      "The request line is not 'METHOD SP target SP HTTP/1.x CRLF'."};
inline constexpr Refusal kLineEnd{400, "bare-line-feed", "A line of the header block does not end with CRLF."};
inline constexpr Refusal kFold{400, "folded-field", "A field line is folded over two lines."};
inline constexpr Refusal kField{400, "malformed-field", "A field line is not 'name: value' of allowed characters."};
inline constexpr Refusal kTarget{400, "malformed-target", "The request target is not a path, an http URI or '*'."};
inline constexpr Refusal kHost{400, "bad-host", "An HTTP/1.1 request needs exactly one valid Host field."};
inline constexpr Refusal kLength{400, "bad-content-length", "Content-Length must be given once, as a decimal number."};
inline constexpr Refusal kFraming{
    400, "ambiguous-framing",
    "Content-Length and Transfer-Encoding exclude each other, and HTTP/1.0 has only the first."};
inline constexpr Refusal kChunk{400, "malformed-chunk", "The chunked body is not framed as RFC 9112 section 7.1 says."};
inline constexpr Refusal kPlainHttp{400, "plain-http", "This port speaks TLS: use https:// for it."};
inline constexpr Refusal kSlowHead{408, "slow-header", "The header block did not arrive in time."};
inline constexpr Refusal kSlowBody{408, "slow-body", "The body did not arrive in time."};
inline constexpr Refusal kBodySize{413, "body-too-large", "The body is larger than this server takes."};
inline constexpr Refusal kTargetSize{414, "target-too-long", "The request target is longer than this server takes."};
inline constexpr Refusal kExpectation{417, "unknown-expectation", "The only expectation known here is 100-continue."};
inline constexpr Refusal kHeadSize{431, "header-too-large", "The header block is larger than this server takes."};
inline constexpr Refusal kCoding{501, "unknown-transfer-coding", "The only transfer coding known here is chunked."};
inline constexpr Refusal kConnections{503, "too-many-connections", "This server has no room for another connection."};
inline constexpr Refusal kMemory{503, "memory-limit", "This server has no memory for the request's body now."};
inline constexpr Refusal kVersion{505, "unsupported-version", "This server speaks HTTP/1.0 and HTTP/1.1."};
}  // namespace refusal

}  // namespace gateway::server
