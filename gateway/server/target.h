// The forms of a request target (RFC 9112 section 3.2).
#pragma once

namespace gateway::server {

struct Head;

// Splits head.target, as sent, into host (absolute-form), target, path and query. False where it is none of the forms.
bool split_target(Head& head);

}  // namespace gateway::server
