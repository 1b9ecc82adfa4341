#include "policies/webhook_event.h"

#include "policies/json_strings.h"

namespace policies {

namespace {

// The one value at `name`; nothing where it is missing or there more than once.
struct Single {
  std::string value;
  int count = 0;
  JsonText text = JsonText::Broken;
  Single(std::string_view body, std::string_view name) {
    text = json_strings(body, name, [this](std::string_view found) {
      if (++count == 1) value = found;
    });
  }
};

}  // namespace

std::string_view to_string(EventProblem problem) {
  switch (problem) {
    case EventProblem::NotJson:
      return "The body is no JSON object.";
    case EventProblem::NoType:
      return "The event has no type, or several.";
    case EventProblem::NoTimestamp:
      return "The event has no timestamp that can be read (RFC 3339, or milliseconds since 1970).";
  }
  return "";
}

std::variant<WebhookEvent, EventProblem> read_webhook_event(std::string_view body) {
  const auto first = body.find_first_not_of(" \t\r\n");
  Single type(body, "type");
  if (first == std::string_view::npos || body[first] != '{' || type.text == JsonText::Broken)
    return EventProblem::NotJson;
  if (type.count != 1 || type.value.empty()) return EventProblem::NoType;
  Single id(body, "webhookId"), written(body, "timestamp");
  const auto timestamp = written.count == 1 ? parse_timestamp(written.value) : std::nullopt;
  if (!timestamp) return EventProblem::NoTimestamp;
  return WebhookEvent{std::move(type.value), id.count == 1 ? std::move(id.value) : "", *timestamp};
}

bool timely(const WebhookEvent& event, WallMillis now, std::chrono::milliseconds max_age) {
  return event.timestamp >= now - max_age && event.timestamp <= now + max_age;
}

std::chrono::milliseconds replay_memory(std::chrono::milliseconds max_age) { return 2 * max_age; }

}  // namespace policies
