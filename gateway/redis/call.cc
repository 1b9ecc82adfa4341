#include "gateway/redis/call.h"

#include <charconv>

namespace gateway::redis {

namespace {
constexpr std::size_t kMostDigits = 20;
constexpr std::size_t kUsualBytes = 768, kUsualCommands = 8;
}  // namespace

Words::Words() {
  text_.reserve(kUsualBytes);
  begins_.reserve(kUsualCommands);
}

Words::Words(const std::vector<std::string>& words) : Words() {
  command(words.size());
  for (const auto& word : words) add(word);
}

Words& Words::command(std::size_t words) {
  char digits[kMostDigits];
  begins_.push_back(text_.size());
  text_.append("*").append(digits, std::to_chars(digits, digits + kMostDigits, words).ptr).append("\r\n");
  return *this;
}

std::string_view Words::text(std::size_t command) const {
  const auto end = command + 1 < begins_.size() ? begins_[command + 1] : text_.size();
  return std::string_view(text_).substr(begins_[command], end - begins_[command]);
}

Words& Words::add(std::string_view first, std::string_view rest) {
  char digits[kMostDigits];
  const auto end = std::to_chars(digits, digits + kMostDigits, first.size() + rest.size()).ptr;
  text_.append("$").append(digits, end).append("\r\n").append(first).append(rest).append("\r\n");
  return *this;
}

Words& Words::add(std::uint64_t number) {
  char digits[kMostDigits];
  return add(std::string_view(digits, std::to_chars(digits, digits + kMostDigits, number).ptr));
}

}  // namespace gateway::redis
