// From the bytes of one header block to what the server needs to know of the request (RFC 9112 sections 2 to 6).
// What RFC 9112 does not allow is refused, and nothing is repaired. Pure: no sockets, no clock.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "gateway/server/refusal.h"
#include "gateway/server/server.h"
#include "policies/fields.h"

namespace gateway::server {

enum class Framing { None, Length, Chunked };

// Reused from request to request by its worker, so that its vector is allocated once. Views point into the parsed bytes
// or into `target_storage`.
struct Head {
  std::string_view method, target, path, query, host;
  std::vector<policies::FieldView> fields;  // end-to-end fields only
  int minor_version = 1;
  bool keep_alive = true;
  bool expects_continue = false;
  Framing framing = Framing::None;
  std::uint64_t content_length = 0;
  std::string target_storage;  // for an absolute-form target with a query and no path
};

// `line`: without its CRLF. Checks method, version and the target's size; fills method, target (raw) and minor_version.
std::optional<Refusal> parse_request_line(std::string_view line, const Limits& limits, Head& head);

// `bytes`: the whole block, from the request line to the empty line, each line CRLF ended (the caller has seen to
// that).
std::optional<Refusal> parse_head(std::string_view bytes, const Limits& limits, Head& head);

}  // namespace gateway::server
