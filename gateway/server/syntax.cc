#include "gateway/server/syntax.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstring>

namespace gateway::server {

namespace {

using Table = std::array<bool, 256>;

constexpr Table allow(std::string_view marks, bool high_bytes) {
  Table table{};
  for (int c = '0'; c <= '9'; ++c) table[c] = true;
  for (int c = 'a'; c <= 'z'; ++c) table[c] = true;
  for (int c = 'A'; c <= 'Z'; ++c) table[c] = true;
  for (char c : marks) table[static_cast<unsigned char>(c)] = true;
  if (high_bytes) {
    for (int c = 0x80; c < 0x100; ++c) table[c] = true;
  }
  return table;
}

constexpr Table kToken = allow("!#$%&'*+-.^_`|~", false);
constexpr Table kAuthority = allow("-._~!$&'()*+,;=:[]%", false);
constexpr Table kTarget = allow("!\"$%&'()*+,-./:;<=>?@[\\]^_`{|}~", true);
constexpr Table kValue = allow("\t !\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~", true);

std::size_t length_in(const Table& table, std::string_view text) {
  std::size_t length = 0;
  while (length < text.size() && table[static_cast<unsigned char>(text[length])]) ++length;
  return length;
}

bool all_in(const Table& table, std::string_view text) { return length_in(table, text) == text.size(); }

// Drops whole words (eight bytes) from the front of `text` while they hold no delete, no `mark` and no byte below
// `least`. Nearly all text goes that way; what is left is looked at byte by byte.
std::string_view after_plain_words(std::string_view text, char least, char mark) {
  constexpr std::uint64_t kOnes = 0x0101010101010101, kHigh = 0x8080808080808080;
  const auto has_zero = [](std::uint64_t bytes) { return (bytes - kOnes) & ~bytes; };
  for (std::uint64_t word; text.size() >= sizeof word; text.remove_prefix(sizeof word)) {
    std::memcpy(&word, text.data(), sizeof word);
    const std::uint64_t below_least = (word - kOnes * static_cast<unsigned char>(least)) & ~word;
    const std::uint64_t marked = has_zero(word ^ kOnes * static_cast<unsigned char>(mark));
    if (((below_least | marked | has_zero(word ^ kOnes * 0x7f)) & kHigh) != 0) break;
  }
  return text;
}

}  // namespace

bool is_token(std::string_view text) { return !text.empty() && all_in(kToken, text); }
std::size_t token_length(std::string_view text) { return length_in(kToken, text); }
bool is_token_char(char c) { return kToken[static_cast<unsigned char>(c)]; }
bool is_field_value(std::string_view text) { return all_in(kValue, after_plain_words(text, ' ', '\x7f')); }
std::size_t field_value_length(std::string_view text) {
  const auto rest = after_plain_words(text, ' ', '\x7f');
  return text.size() - rest.size() + length_in(kValue, rest);
}
bool is_target(std::string_view text) { return all_in(kTarget, after_plain_words(text, '!', '#')); }
bool is_authority(std::string_view text) { return all_in(kAuthority, text); }

}  // namespace gateway::server
