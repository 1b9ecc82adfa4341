// The status line and fields of an answer, with the framing that this server answers for (RFC 9112 section 6). Pure.
#pragma once

#include <cstddef>
#include <ctime>
#include <optional>
#include <string>
#include <string_view>

#include "gateway/server/reply.h"

namespace gateway::server {

std::string_view reason_phrase(int status);          // empty for a status without one
std::string http_date(std::time_t now);              // RFC 9110 section 5.6.7
bool has_no_body(int status);                        // 1xx, 204, 304 (RFC 9110 section 6.4.1)
bool asks_to_close(const policies::Fields& fields);  // `Connection: close` among an answer's own fields

struct Delimiter {
  enum class Kind { Length, Chunked, Close, None } kind = Kind::None;
  std::size_t length = 0;
};

// Appends everything up to and with the empty line. `connection` is "close", "keep-alive" or empty; `date` is used
// where the answer has none. Connection, Transfer-Encoding and Content-Length of the answer itself give way, but a
// Content-Length stays with Kind::None, where it only tells what a GET would have got; a 204 has none (RFC 9110 section
// 8.6). Line breaks inside values become spaces.
void append_head(std::string& out, const Response& response, Delimiter delimiter, std::string_view connection,
                 std::string_view date);

}  // namespace gateway::server
