#include "gateway/cache/prepared_head.h"

#include <array>
#include <charconv>
#include <optional>

#include "gateway/server/answer_head.h"
#include "gateway/server/syntax.h"
#include "policies/fields.h"

namespace gateway::cache {
namespace {

using policies::same_name;

bool is_status_line(std::string_view line, int status) {
  constexpr std::string_view kVersion = "HTTP/1.1 ";
  std::array<char, 4> digits{};
  const auto* end = std::to_chars(digits.data(), digits.data() + digits.size(), status).ptr;
  const std::string_view code(digits.data(), end);
  return line.starts_with(kVersion) && line.substr(kVersion.size()).starts_with(code) &&
         line.substr(kVersion.size() + code.size()).starts_with(' ');
}

bool is_number(std::string_view text, std::size_t number) {
  std::size_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  return error == std::errc() && end == text.data() + text.size() && value == number;
}

bool is_other_framing(std::string_view name) {
  return same_name(name, "Transfer-Encoding") || same_name(name, "Connection") || same_name(name, "Keep-Alive");
}

bool begins_with(std::string_view text, char first, char second) {
  return text.size() >= 2 && text[0] == first && text[1] == second;
}

// Takes what may be in a field's value off the front of `head`, and the CRLF that must come behind it.
std::optional<std::string_view> take_value(std::string_view& head) {
  const auto value = head.substr(0, server::field_value_length(head));
  head.remove_prefix(value.size());
  if (!begins_with(head, '\r', '\n')) return std::nullopt;
  head.remove_prefix(2);
  return value;
}

}  // namespace

bool is_prepared_head(std::string_view head, int status, std::size_t body_size) {
  if (status < 200 || status > 999 || server::has_no_body(status)) return false;
  const auto first = take_value(head);
  if (!first || !is_status_line(*first, status)) return false;
  bool measured = false;
  while (!head.empty()) {
    const auto name = head.substr(0, server::token_length(head));
    head.remove_prefix(name.size());
    if (name.empty() || !begins_with(head, ':', ' ')) return false;
    head.remove_prefix(2);
    const auto value = take_value(head);
    if (!value || is_other_framing(name)) return false;
    if (!same_name(name, "Content-Length")) continue;
    if (measured || !is_number(*value, body_size)) return false;
    measured = true;
  }
  return measured;
}

}  // namespace gateway::cache
