// The browser's way back from the install page (RFC 6749 section 4.1.2): what the redirect's URL says, and a listener
// on loopback that waits for it (RFC 8252 section 7.3).
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

#include "gateway/config/settings.h"

namespace gateway::cli {

// A port and path of this machine, from a redirect_uri that leads here: http://127.0.0.1:PORT/PATH, [::1] or localhost.
struct LoopbackUri {
  std::string host;  // numeric
  std::uint16_t port = 0;
  std::string path;
};
std::optional<LoopbackUri> loopback_uri(std::string_view redirect_uri);

struct BadRedirect {
  std::string why;  // for the operator and the browser's page; never the code
};
// `target`: path and query, a whole URL, or, pasted, the code alone, which carries no state. A state that is there must
// be `state`; `must` refuses what has none.
std::variant<config::Secret, BadRedirect> code_in(std::string_view target, std::string_view state, bool must);

// Waits for one request to the path that carries a code or an error; others are answered 404. Throws
// std::runtime_error, in words for an operator, when the port is taken or nobody comes in time.
class RedirectListener {
 public:
  explicit RedirectListener(const LoopbackUri& uri);
  ~RedirectListener();
  RedirectListener(const RedirectListener&) = delete;
  RedirectListener& operator=(const RedirectListener&) = delete;
  std::variant<config::Secret, BadRedirect> wait(std::string_view state, std::chrono::seconds limit);

 private:
  std::string path_;
  int socket_ = -1;
};

}  // namespace gateway::cli
