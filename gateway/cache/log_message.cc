#include "gateway/cache/log_message.h"

#include <charconv>

namespace gateway::cache {

namespace {
bool take_number(std::string_view& text, char end, std::uint64_t& number) {
  const auto [stop, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  const auto used = static_cast<std::size_t>(stop - text.data());
  if (error != std::errc{} || used >= text.size() || text[used] != end) return false;
  text.remove_prefix(used + 1);
  return true;
}
}  // namespace

std::string netstrings(const std::vector<std::string>& keys) {
  std::string text;
  for (const auto& key : keys) text.append(std::to_string(key.size())).append(":").append(key);
  return text;
}

std::optional<std::vector<std::string>> parse_netstrings(std::string_view text) {
  std::vector<std::string> keys;
  while (!text.empty()) {
    std::uint64_t size = 0;
    if (!take_number(text, ':', size) || size > text.size()) return std::nullopt;
    keys.emplace_back(text.substr(0, size));
    text.remove_prefix(size);
  }
  return keys;
}

std::optional<LogMessage> parse_log_message(std::string_view text) {
  LogMessage message;
  if (!take_number(text, ' ', message.epoch) || !take_number(text, ' ', message.position)) return std::nullopt;
  message.rest = text;
  return message;
}

std::uint64_t number_of(const redis::Value& value) {
  if (const auto* number = std::get_if<std::int64_t>(&value.data)) return static_cast<std::uint64_t>(*number);
  std::uint64_t number = 0;
  if (const auto* digits = std::get_if<std::string>(&value.data))
    std::from_chars(digits->data(), digits->data() + digits->size(), number);
  return number;
}

}  // namespace gateway::cache
