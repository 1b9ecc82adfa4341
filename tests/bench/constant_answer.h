// What both bare responders answer: a contact of `bytes` bytes of body as the API would send it. Beside it nothing is
// decided: no routing, no checks. Used by the bench only.
#pragma once

#include <string>

namespace bench {

inline std::string constant_answer(std::size_t bytes) {
  const std::string open =
      R"({"contact":{"id":"contact0000000000001","locationId":"loc_demo","firstName":"Ada","note":")";
  const std::string close = "\"}}";
  const std::size_t rest = bytes > open.size() + close.size() ? bytes - open.size() - close.size() : 0;
  const std::string body = open + std::string(rest, 'x') + close;
  return "HTTP/1.1 200 OK\r\nContent-Type: application/json; charset=utf-8\r\nETag: \"bench-1\"\r\n"
         "Cache-Control: max-age=600\r\nContent-Length: " +
         std::to_string(body.size()) + "\r\n\r\n" + body;
}

}  // namespace bench
