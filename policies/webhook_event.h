// What the gateway needs to know of a webhook's body before it believes it, and whether it is timely. Pure; any thread.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

#include "policies/timestamp.h"

namespace policies {

struct WebhookEvent {
  std::string type;
  std::string id;  // `webhookId`; empty where it has none
  WallMillis timestamp{};
};

enum class EventProblem { NotJson, NoType, NoTimestamp };
std::string_view to_string(EventProblem problem);  // one sentence for the sender

// `type`, `webhookId` and `timestamp` must each be there once, `webhookId` may be missing.
std::variant<WebhookEvent, EventProblem> read_webhook_event(std::string_view body);

// Neither older than `max_age` nor further ahead of this clock than that.
bool timely(const WebhookEvent& event, WallMillis now, std::chrono::milliseconds max_age);

// For how long an event's id must be remembered, so that no event is taken twice: while it may still be timely.
std::chrono::milliseconds replay_memory(std::chrono::milliseconds max_age);

}  // namespace policies
