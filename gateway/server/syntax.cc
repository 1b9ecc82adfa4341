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

bool all_in(const Table& table, std::string_view text) {
  return std::all_of(text.begin(), text.end(), [&](char c) { return table[static_cast<unsigned char>(c)]; });
}

}  // namespace

bool is_token(std::string_view text) { return !text.empty() && all_in(kToken, text); }
bool is_token_char(char c) { return kToken[static_cast<unsigned char>(c)]; }
bool is_blank(char c) { return c == ' ' || c == '\t'; }
// Eight bytes at a time: long values are nearly always without control characters. A tab is looked at again.
bool is_field_value(std::string_view text) {
  constexpr std::uint64_t kOnes = 0x0101010101010101, kHigh = 0x8080808080808080;
  for (std::uint64_t word; text.size() >= sizeof word; text.remove_prefix(sizeof word)) {
    std::memcpy(&word, text.data(), sizeof word);
    const std::uint64_t below_space = (word - kOnes * 0x20) & ~word;
    const std::uint64_t not_delete = word ^ kOnes * 0x7f;
    if (((below_space | ((not_delete - kOnes) & ~not_delete)) & kHigh) != 0) break;
  }
  return all_in(kValue, text);
}
bool is_target(std::string_view text) { return all_in(kTarget, text); }
bool is_authority(std::string_view text) { return all_in(kAuthority, text); }

std::string_view trim(std::string_view text) {
  while (!text.empty() && is_blank(text.front())) text.remove_prefix(1);
  while (!text.empty() && is_blank(text.back())) text.remove_suffix(1);
  return text;
}

}  // namespace gateway::server
