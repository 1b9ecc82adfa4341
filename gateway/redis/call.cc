#include "gateway/redis/call.h"

#include <charconv>

namespace gateway::redis {

namespace {
constexpr std::size_t kMostDigits = 20;
constexpr std::size_t kUsualBytes = 768, kUsualCommands = 8;

// "$3\r\n": of a word its size, of a command its words.
void append_count(std::string& text, char mark, std::size_t count) {
  char line[kMostDigits + 3];
  line[0] = mark;
  char* end = std::to_chars(line + 1, line + 1 + kMostDigits, count).ptr;
  *end++ = '\r';
  *end++ = '\n';
  text.append(line, end);
}
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
  begins_.push_back(text_.size());
  append_count(text_, '*', words);
  return *this;
}

std::string_view Words::text(std::size_t command) const {
  const auto end = command + 1 < begins_.size() ? begins_[command + 1] : text_.size();
  return std::string_view(text_).substr(begins_[command], end - begins_[command]);
}

Words& Words::add(std::string_view first, std::string_view rest) {
  append_count(text_, '$', first.size() + rest.size());
  text_.append(first);
  if (!rest.empty()) text_.append(rest);
  text_.append("\r\n", 2);
  return *this;
}

Words& Words::add(std::uint64_t number) {
  char digits[kMostDigits];
  return add(std::string_view(digits, std::to_chars(digits, digits + kMostDigits, number).ptr));
}

}  // namespace gateway::redis
