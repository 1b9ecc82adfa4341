// One parsed HTTP/1.1 request as a handler sees it (RFC 9112). Everything is a view into the connection's buffers and
// is valid only while Handler::on_request runs; what must live longer is copied by the handler.
#pragma once

#include <string_view>

#include "policies/fields.h"

namespace gateway::server {

// `fields` holds the end-to-end fields only: gone are Host, Content-Length, Expect, Trailer, the hop-by-hop fields and
// those that Connection names (RFC 9110 section 7.6.1). Nothing is percent-decoded; target and values hold no control
// characters.
struct RequestView {
  std::string_view method;      // as sent, case kept
  std::string_view target;      // origin-form, path and query; an absolute-form's authority went to `host`
  std::string_view path;        // up to '?'
  std::string_view query;       // after '?', without it
  std::string_view host;        // from Host or the absolute-form target
  policies::FieldsView fields;  // in the order received, repeated ones kept; see below
  std::string_view body;        // decoded: chunked framing removed
  int minor_version = 1;        // HTTP/1.x
};

}  // namespace gateway::server
