#include "gateway/server/problem.h"

#include <memory>

namespace gateway::server {

namespace {
// JSON string escaping (RFC 8259 section 7) for texts of our own; other bytes pass as they are.
void append_json_string(std::string& out, std::string_view text) {
  static constexpr char kHex[] = "0123456789abcdef";
  out += '"';
  for (char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\')
      out.append({'\\', c});
    else if (byte < 0x20 || byte >= 0x7f)
      out.append("\\u00").append({kHex[byte >> 4], kHex[byte & 15]});
    else
      out += c;
  }
  out += '"';
}
}  // namespace

Response to_response(const Problem& problem) {
  std::string body = R"({"type":"https://contacts-gateway.dev/problems/)";
  body.append(problem.type).append(R"(","title":)");
  append_json_string(body, problem.title);
  body.append(R"(,"status":)").append(std::to_string(problem.status)).append(R"(,"detail":)");
  append_json_string(body, problem.detail);
  body += '}';

  Response response;
  response.status = problem.status;
  response.fields.add("Content-Type", "application/problem+json");
  if (!problem.error.empty())
    response.fields.add("Proxy-Status", "contacts-gateway; error=" + std::string(problem.error));
  response.body = std::make_shared<const std::string>(std::move(body));
  return response;
}

}  // namespace gateway::server
