// The configured upstream URL, taken apart once. Pure.
#pragma once

#include <string>

namespace gateway::upstream {

struct BaseUrl {
  std::string origin;     // "https://host:port/", what libcurl connects to
  std::string prefix;     // path put before every target: "" or "/path" without its last '/'
  bool loopback = false;  // localhost, 127.0.0.0/8 or ::1: never through a proxy
};

// Throws std::invalid_argument naming what was expected; user names, queries and fragments are refused too.
BaseUrl parse_base_url(const std::string& text);

}  // namespace gateway::upstream
