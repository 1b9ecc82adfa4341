// W3C Trace Context (https://www.w3.org/TR/trace-context/, sections 3.2 and 4): the traceparent of a request read,
// checked and continued. Pure: random ids come in as arguments. A traceparent that is malformed or sent twice counts as
// absent, and then the tracestate beside it is not passed on either (section 3.3).
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "policies/fields.h"

namespace policies {

using TraceId = std::array<std::uint8_t, 16>;
using SpanId = std::array<std::uint8_t, 8>;

struct TraceParent {
  TraceId trace{};
  SpanId parent{};  // the sender's span
  bool sampled = false;
  bool operator==(const TraceParent&) const = default;
};

// Version 00, and what is readable as 00 of later ones; nothing for ff, upper case, ids of zeros and anything else.
std::optional<TraceParent> parse_traceparent(std::string_view text);

// "00-<trace>-<parent>-<flags>", 55 characters. Of the flags only `sampled` is known; the others go out as zeros.
std::string format_traceparent(const TraceParent& traceparent);

std::string hex(const TraceId& id);  // lower case, as it stands in a traceparent

// The one traceparent of these fields.
std::optional<TraceParent> received_traceparent(FieldsView fields);

// What goes to the upstream: the received trace with `span` as its parent, or a new, sampled trace `fresh`. Random ids
// that happen to be all zeros, which the standard forbids, get a 1 as their last byte.
TraceParent continued(const std::optional<TraceParent>& received, TraceId fresh, SpanId span);

}  // namespace policies
