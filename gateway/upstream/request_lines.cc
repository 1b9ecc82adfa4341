#include "gateway/upstream/request_lines.h"

#include <algorithm>
#include <array>

#include "gateway/server/syntax.h"

namespace gateway::upstream {

namespace {

using policies::same_name;

bool is_control(char c) { return (c >= 0 && c < 0x20) || c == 0x7f; }

bool is_target(std::string_view text) {
  return text.starts_with('/') &&
         std::none_of(text.begin(), text.end(), [](char c) { return is_control(c) || c == ' '; });
}

bool written_by_libcurl(std::string_view name) {
  return same_name(name, "Host") || same_name(name, "Content-Length") || same_name(name, "Expect");
}

bool lists(std::string_view list, std::string_view name) {
  while (!list.empty()) {
    const std::size_t comma = std::min(list.find(','), list.size());
    if (same_name(server::trim(list.substr(0, comma)), name)) return true;
    list.remove_prefix(std::min(comma + 1, list.size()));
  }
  return false;
}

}  // namespace

bool is_hop_by_hop(std::string_view name, std::string_view connection) {
  constexpr std::array<std::string_view, 10> kFixed{
      "Connection",     "Keep-Alive",         "Proxy-Connection",   "TE", "Transfer-Encoding", "Upgrade", "Trailer",
      "HTTP2-Settings", "Proxy-Authenticate", "Proxy-Authorization"};
  return std::any_of(kFixed.begin(), kFixed.end(), [&](auto fixed) { return same_name(fixed, name); }) ||
         lists(connection, name);
}

std::optional<std::string_view> unsendable(const Request& request) {
  if (!server::is_token(request.method)) return "the method is not a token";
  if (!is_target(request.target)) return "the target does not begin with '/' or holds a space or control character";
  for (const auto& field : request.fields) {
    if (!server::is_token(field.name)) return "a field name is not a token";
    if (!server::is_field_value(field.value)) return "a field value holds a control character";
  }
  return std::nullopt;
}

bool carries_body(const Request& request) {
  const auto& method = request.method;
  return (request.body && !request.body->empty()) || method == "POST" || method == "PUT" || method == "PATCH";
}

std::vector<std::string> request_lines(const Request& request) {
  const auto views = request.fields.view();
  const std::string connection = policies::combined_field(views, "Connection").value_or("");
  std::vector<std::string> lines;
  lines.reserve(views.size() + 3);
  for (const auto& [name, value] : views) {
    if (is_hop_by_hop(name, connection) || written_by_libcurl(name)) continue;
    const bool blank = server::trim(value).empty();
    lines.push_back(blank ? std::string(name) + ";" : std::string(name).append(": ").append(value));
  }
  const auto leave_out = [&](std::string_view added) {
    if (!policies::find_field(views, added)) lines.push_back(std::string(added) + ":");
  };
  leave_out("Accept");
  if (carries_body(request)) {
    leave_out("Content-Type");
    lines.emplace_back("Expect:");
  }
  return lines;
}

}  // namespace gateway::upstream
