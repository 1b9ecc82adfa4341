// One step of one request's way, as OpenTelemetry names such things. Values only. Attributes hold operations, outcomes
// and names that the operator gave; never a path, a query, a body or a field of a request.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "policies/tracing.h"

namespace gateway::tracing {

enum class Kind : std::uint8_t { Internal = 1, Server = 2, Client = 3 };  // OTLP's numbers

struct Attribute {
  std::string_view key;  // a literal
  std::variant<std::string, std::int64_t, bool> value;
};

struct Span {
  policies::TraceId trace{};
  policies::SpanId id{};
  std::optional<policies::SpanId> parent;
  std::string_view name;  // a literal: "exchange", "queue", "redis", "upstream"
  Kind kind = Kind::Internal;
  std::chrono::system_clock::time_point start, end;
  std::vector<Attribute> attributes;
  bool failed = false;
};

}  // namespace gateway::tracing
