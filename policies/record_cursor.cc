#include "policies/record_cursor.h"

#include <charconv>
#include <vector>

#include "policies/hash128.h"
#include "policies/percent.h"

namespace policies {

namespace {

constexpr std::string_view kVersion = "2", kBefore = "1";  // the one before had no `told`
constexpr std::size_t kWords = 10;                         // with the check at the end
constexpr std::size_t kLongest = 4096;
constexpr std::string_view kAlphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

// RFC 4648 section 5.
std::string to_base64url(std::string_view bytes) {
  std::string text;
  std::uint32_t bits = 0;
  int held = 0;
  for (const char c : bytes) {
    bits = bits << 8 | static_cast<unsigned char>(c);
    for (held += 8; held >= 6; held -= 6) text += kAlphabet[bits >> (held - 6) & 63];
  }
  if (held > 0) text += kAlphabet[bits << (6 - held) & 63];
  return text;
}

std::optional<std::string> from_base64url(std::string_view text) {
  std::string bytes;
  std::uint32_t bits = 0;
  int held = 0;
  for (const char c : text) {
    const auto value = kAlphabet.find(c);
    if (value == std::string_view::npos) return std::nullopt;
    bits = bits << 6 | static_cast<std::uint32_t>(value);
    held += 6;
    if (held < 8) continue;
    held -= 8;
    bytes += static_cast<char>(bits >> held & 0xff);
  }
  return bytes;
}

std::string check_of(std::string_view text) { return std::to_string(hash128(text).low); }

void add_word(std::string& text, std::string_view word) {
  append_word(text, word);
  text += '/';
}

template <typename Number>
bool number(std::string_view word, Number& into) {
  const auto end = word.data() + word.size();
  const auto [rest, error] = std::from_chars(word.data(), end, into);
  return error == std::errc{} && rest == end;
}

std::string decoded(std::string_view word) {
  std::string text;
  append_decoded(text, word);
  return text;
}

}  // namespace

std::string encode(const RecordCursor& cursor) {
  std::string text;
  add_word(text, kVersion);
  add_word(text, cursor.location);
  add_word(text, std::to_string(cursor.parts));
  add_word(text, std::to_string(cursor.page.after_ms));
  add_word(text, cursor.page.after_id);
  add_word(text, cursor.last_id);
  add_word(text, std::to_string(cursor.last_ms));
  add_word(text, std::to_string(cursor.done));
  add_word(text, cursor.told ? "1" : "0");
  return to_base64url(text + check_of(text));
}

std::optional<RecordCursor> decode_cursor(std::string_view encoded) {
  if (encoded.size() > kLongest) return std::nullopt;
  const auto text = from_base64url(encoded);
  if (!text) return std::nullopt;
  std::vector<std::string_view> words;
  for (std::string_view rest = *text; words.size() < kWords;) {
    const auto slash = rest.find('/');
    words.push_back(rest.substr(0, slash));
    if (slash == std::string_view::npos) break;
    rest.remove_prefix(slash + 1);
  }
  if (words.size() != (words[0] == kBefore ? kWords - 1 : kWords)) return std::nullopt;
  if (words[0] != kVersion && words[0] != kBefore) return std::nullopt;
  const auto signed_part = std::string_view(*text).substr(0, text->size() - words.back().size());
  RecordCursor cursor;
  cursor.location = decoded(words[1]);
  cursor.page.after_id = decoded(words[4]);
  cursor.last_id = decoded(words[5]);
  cursor.told = words[0] == kVersion && words[8] == "1";
  const bool right = words.back() == check_of(signed_part) && number(words[2], cursor.parts) &&
                     cursor.parts <= kAllParts && number(words[3], cursor.page.after_ms) &&
                     number(words[6], cursor.last_ms) && number(words[7], cursor.done);
  return right ? std::optional(cursor) : std::nullopt;
}

}  // namespace policies
