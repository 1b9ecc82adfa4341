// Spans as OTLP over HTTP says them in JSON (OpenTelemetry protocol 1.x, "JSON Protobuf Encoding"): ids in hex, 64-bit
// numbers as strings. Pure.
#pragma once

#include <span>
#include <string>

#include "gateway/tracing/span.h"

namespace gateway::tracing {

struct Resource {
  std::string version;
  std::string instance;  // service.instance.id
};

// An ExportTraceServiceRequest.
std::string otlp_json(const Resource& resource, std::span<const Span> spans);

}  // namespace gateway::tracing
