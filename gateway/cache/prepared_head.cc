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

// Takes the first line off `head`, and its CRLF with it. Nothing where `head` does not begin with a whole line.
std::optional<std::string_view> take_line(std::string_view& head) {
  const auto size = head.find('\r');
  if (size == std::string_view::npos || head.substr(size, 2) != "\r\n") return std::nullopt;
  const auto line = head.substr(0, size);
  head.remove_prefix(size + 2);
  return line;
}

bool is_status_line(std::string_view line, int status) {
  constexpr std::string_view kVersion = "HTTP/1.1 ";
  std::array<char, 4> digits{};
  const auto* end = std::to_chars(digits.data(), digits.data() + digits.size(), status).ptr;
  const std::string_view code(digits.data(), end);
  return line.starts_with(kVersion) && line.substr(kVersion.size()).starts_with(code) &&
         line.substr(kVersion.size() + code.size()).starts_with(' ') && server::is_field_value(line);
}

bool is_number(std::string_view text, std::size_t number) {
  std::size_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  return error == std::errc() && end == text.data() + text.size() && value == number;
}

bool is_other_framing(std::string_view name) {
  return same_name(name, "Transfer-Encoding") || same_name(name, "Connection") || same_name(name, "Keep-Alive");
}

}  // namespace

bool is_prepared_head(std::string_view head, int status, std::size_t body_size) {
  if (status < 200 || status > 999 || server::has_no_body(status)) return false;
  const auto first = take_line(head);
  if (!first || !is_status_line(*first, status)) return false;
  bool measured = false;
  while (!head.empty()) {
    const auto line = take_line(head);
    if (!line) return false;
    const auto name = line->substr(0, server::token_length(*line));
    const auto rest = line->substr(name.size());
    if (name.empty() || !rest.starts_with(": ") || !server::is_field_value(rest)) return false;
    if (is_other_framing(name)) return false;
    if (!same_name(name, "Content-Length")) continue;
    if (measured || !is_number(rest.substr(2), body_size)) return false;
    measured = true;
  }
  return measured;
}

}  // namespace gateway::cache
