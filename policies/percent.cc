#include "policies/percent.h"

#include <array>

namespace policies {

namespace {

void append_encoded(std::string& out, char c) {
  constexpr std::string_view kDigits = "0123456789ABCDEF";
  const auto byte = static_cast<unsigned char>(c);
  const char pair[] = {'%', kDigits[byte >> 4], kDigits[byte & 15]};
  out.append(pair, sizeof pair);
}

bool is_visible(char c) { return c > ' ' && c < '\x7f'; }

constexpr std::array<bool, 256> kUnreserved = [] {
  std::array<bool, 256> table{};
  for (unsigned c = '0'; c <= '9'; ++c) table[c] = true;
  for (unsigned c = 'a'; c <= 'z'; ++c) table[c] = table[c - 'a' + 'A'] = true;
  for (const unsigned char c : {'-', '.', '_', '~'}) table[c] = true;
  return table;
}();

// Nearly all words and ids are of these bytes alone.
std::size_t unreserved_prefix(std::string_view text) {
  std::size_t size = 0;
  while (size < text.size() && is_unreserved(text[size])) ++size;
  return size;
}

}  // namespace

int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

bool is_unreserved(char c) { return kUnreserved[static_cast<unsigned char>(c)]; }

std::optional<char> hex_pair(std::string_view text, std::size_t at) {
  if (at + 2 >= text.size() || text[at] != '%') return std::nullopt;
  const int high = hex_digit(text[at + 1]);
  const int low = hex_digit(text[at + 2]);
  if (high < 0 || low < 0) return std::nullopt;
  return static_cast<char>(high * 16 + low);
}

bool well_encoded(std::string_view text) {
  for (std::size_t at = text.find('%'); at != std::string_view::npos; at = text.find('%', at + 1))
    if (!hex_pair(text, at)) return false;
  return true;
}

void append_decoded(std::string& out, std::string_view text, bool plus_is_space) {
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (const auto byte = hex_pair(text, i)) {
      out.push_back(*byte);
      i += 2;
    } else {
      out.push_back(plus_is_space && text[i] == '+' ? ' ' : text[i]);
    }
  }
}

void append_word(std::string& out, std::string_view decoded) {
  const std::size_t plain = unreserved_prefix(decoded);
  out.append(decoded.substr(0, plain));
  for (const char c : decoded.substr(plain)) {
    if (is_unreserved(c))
      out.push_back(c);
    else
      append_encoded(out, c);
  }
}

void append_normalised(std::string& out, std::string_view text) {
  const std::size_t plain = unreserved_prefix(text);
  out.append(text.substr(0, plain));
  text.remove_prefix(plain);
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (const auto byte = hex_pair(text, i)) {
      if (is_unreserved(*byte))
        out.push_back(*byte);
      else
        append_encoded(out, *byte);
      i += 2;
    } else if (is_visible(text[i]) && text[i] != '#') {
      out.push_back(text[i]);
    } else {
      append_encoded(out, text[i]);
    }
  }
}

}  // namespace policies
