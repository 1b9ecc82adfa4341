#include "gateway/log/line.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstring>
#include <ctime>

namespace gateway::log {

namespace {

constexpr std::size_t kLongestValue = 2048;
constexpr std::string_view kReplacement = "\xEF\xBF\xBD";  // U+FFFD
constexpr std::string_view kEllipsis = "…";

// Bytes of the well-formed UTF-8 sequence that `text` begins with (RFC 3629 section 4); 0 where there is none.
std::size_t sequence(std::string_view text) {
  const auto byte = [&](std::size_t i) { return i < text.size() ? static_cast<unsigned char>(text[i]) : 0u; };
  const auto tail = [&](std::size_t i) { return (byte(i) & 0xC0u) == 0x80u; };
  const unsigned first = byte(0), second = byte(1);
  if (first < 0x80) return 1;
  if (first >= 0xC2 && first <= 0xDF) return tail(1) ? 2 : 0;
  if (first >= 0xE0 && first <= 0xEF) {
    const bool shortest = first != 0xE0 || second >= 0xA0;
    const bool no_surrogate = first != 0xED || second <= 0x9F;
    return tail(1) && tail(2) && shortest && no_surrogate ? 3 : 0;
  }
  if (first >= 0xF0 && first <= 0xF4) {
    const bool in_range = (first != 0xF0 || second >= 0x90) && (first != 0xF4 || second <= 0x8F);
    return tail(1) && tail(2) && tail(3) && in_range ? 4 : 0;
  }
  return 0;
}

// The functions below write at `to` and answer where they ended; line_bound() has made the room.
// Most pieces are shorter than a call of memcpy is worth.
char* put(char* to, std::string_view text) {
  const std::size_t size = text.size();
  if (size > 16) {
    std::memcpy(to, text.data(), size);
  } else if (size >= 8) {
    std::memcpy(to, text.data(), 8);
    std::memcpy(to + size - 8, text.data() + size - 8, 8);
  } else if (size >= 4) {
    std::memcpy(to, text.data(), 4);
    std::memcpy(to + size - 4, text.data() + size - 4, 4);
  } else {
    for (std::size_t i = 0; i < size; ++i) to[i] = text[i];
  }
  return to + size;
}

char* put_word(char* to, std::string_view text) {
  *to++ = '"';
  to = put(to, text);
  *to++ = '"';
  return to;
}

char* put_ascii(char* to, char c) {
  static constexpr char kHex[] = "0123456789abcdef";
  const auto byte = static_cast<unsigned char>(c);
  if (c == '"' || c == '\\') {
    *to++ = '\\';
    *to++ = c;
    return to;
  }
  if (c == '\n') return put(to, "\\n");
  if (c == '\r') return put(to, "\\r");
  if (c == '\t') return put(to, "\\t");
  if (byte < 0x20 || byte == 0x7f) {
    to = put(to, "\\u00");
    *to++ = kHex[byte >> 4];
    *to++ = kHex[byte & 15];
    return to;
  }
  *to++ = c;
  return to;
}

char* put_careful(char* to, std::string_view text, std::size_t end) {
  for (std::size_t at = 0; at < end;) {
    const std::size_t length = sequence(text.substr(at));
    if (length == 0)
      to = put(to, kReplacement);
    else if (length == 1)
      to = put_ascii(to, text[at]);
    else
      to = put(to, text.substr(at, length));
    at += length == 0 ? 1 : length;
  }
  return to;
}

// Not zero where a byte of `word` must be escaped in JSON or is not ASCII.
std::uint64_t odd(std::uint64_t word) {
  constexpr std::uint64_t kOnes = 0x0101010101010101, kHigh = 0x8080808080808080;
  const auto has_zero = [](std::uint64_t bytes) { return (bytes - kOnes) & ~bytes; };
  const std::uint64_t below_space = (word - kOnes * 0x20) & ~word;
  return (word | below_space | has_zero(word ^ kOnes * '"') | has_zero(word ^ kOnes * '\\') |
          has_zero(word ^ kOnes * 0x7f)) &
         kHigh;
}

// One word of `text` at `at`; false where a byte of it is not plain.
template <typename Word>
bool copy_plain(char* to, std::string_view text, std::size_t at) {
  Word word;
  std::memcpy(&word, text.data() + at, sizeof word);
  std::memcpy(to + at, &word, sizeof word);
  return odd(sizeof word == 8 ? word : word | std::uint64_t{0x2020202020202020} << 8 * sizeof word % 64) == 0;
}

// Copies `text` word by word, the last word overlapping the one before it. Null where a byte is not plain, which is
// rare.
char* put_plain(char* to, std::string_view text) {
  const std::size_t size = text.size();
  bool plain = true;
  if (size >= 8) {
    for (std::size_t at = 0; at + 8 < size; at += 8) plain &= copy_plain<std::uint64_t>(to, text, at);
    plain &= copy_plain<std::uint64_t>(to, text, size - 8);
  } else if (size >= 4) {
    plain = copy_plain<std::uint32_t>(to, text, 0) && copy_plain<std::uint32_t>(to, text, size - 4);
  } else if (size >= 2) {
    plain = copy_plain<std::uint16_t>(to, text, 0) && copy_plain<std::uint16_t>(to, text, size - 2);
  } else if (size == 1) {
    plain = copy_plain<std::uint8_t>(to, text, 0);
  }
  return plain ? to + size : nullptr;
}

char* put_string(char* to, std::string_view text) {
  *to++ = '"';
  const bool cut = text.size() > kLongestValue;
  char* end = cut ? nullptr : put_plain(to, text);
  if (end == nullptr) end = put_careful(to, text, cut ? kLongestValue : text.size());
  if (cut) end = put(end, kEllipsis);
  *end++ = '"';
  return end;
}

constexpr std::size_t kLongestNumber = 32;

struct ValueWriter {
  char* to;
  char* operator()(std::string_view text) const { return put_string(to, text); }
  char* operator()(Word word) const { return put_word(to, word.text); }
  char* operator()(std::int64_t number) const { return std::to_chars(to, to + kLongestNumber, number).ptr; }
  char* operator()(bool on) const { return put(to, on ? "true" : "false"); }
  char* operator()(double number) const {
    return std::isfinite(number) ? std::to_chars(to, to + kLongestNumber, number).ptr : put(to, "null");
  }
};

// RFC 3339 in UTC, microseconds. The text of the second is kept for the lines that follow.
char* put_time(char* to, std::chrono::system_clock::time_point time) {
  constexpr std::size_t kSize = 19;  // "2026-11-22T00:00:00"
  thread_local std::time_t written = -1;
  thread_local char text[64];
  const auto micros = std::chrono::floor<std::chrono::microseconds>(time.time_since_epoch());
  const auto seconds = std::chrono::floor<std::chrono::seconds>(micros);
  if (const std::time_t whole = seconds.count(); whole != written) {
    std::tm utc{};
    ::gmtime_r(&whole, &utc);
    std::strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%S", &utc);
    written = whole;
  }
  to = put(to, {text, kSize});
  *to = '.';
  auto rest = static_cast<std::uint32_t>((micros - seconds).count());
  for (char* digit = to + 6; digit > to; --digit, rest /= 10) *digit = static_cast<char>('0' + rest % 10);
  to[7] = 'Z';
  return to + 8;
}

std::size_t string_bound(std::size_t size) {
  constexpr std::size_t kLongestEscape = 6;
  return std::min(size, kLongestValue) * kLongestEscape + kEllipsis.size() + 2;
}

struct BoundReader {
  std::size_t operator()(std::string_view text) const { return string_bound(text.size()); }
  std::size_t operator()(Word word) const { return word.text.size() + 2; }
  std::size_t operator()(std::int64_t) const { return kLongestNumber; }
  std::size_t operator()(bool) const { return kLongestNumber; }
  std::size_t operator()(double) const { return kLongestNumber; }
};

}  // namespace

std::string_view to_string(Level level) {
  switch (level) {
    case Level::Debug:
      return "debug";
    case Level::Info:
      return "info";
    case Level::Warn:
      return "warn";
    case Level::Error:
      return "error";
  }
  return "info";
}

Level level_from(std::string_view name) {
  for (const Level level : {Level::Debug, Level::Warn, Level::Error})
    if (to_string(level) == name) return level;
  return Level::Info;
}

std::size_t line_bound(std::string_view event, std::span<const Item> items) {
  constexpr std::size_t kFrame = 96;  // time, level, braces
  std::size_t bound = kFrame + string_bound(event.size());
  for (const Item& item : items) bound += 4 + item.key.size() + std::visit(BoundReader{}, item.value);
  return bound;
}

char* write_line(char* to, std::chrono::system_clock::time_point time, Level level, std::string_view event,
                 std::span<const Item> items) {
  to = put(to, "{\"time\":\"");
  to = put_time(to, time);
  to = put(to, "\",\"level\":\"");
  to = put(to, to_string(level));
  to = put(to, "\",\"event\":");
  to = put_string(to, event);
  for (const Item& item : items) {
    *to++ = ',';
    to = put_word(to, item.key);
    *to++ = ':';
    to = std::visit(ValueWriter{to}, item.value);
  }
  *to++ = '}';
  return to;
}

void append_line(std::string& out, std::chrono::system_clock::time_point time, Level level, std::string_view event,
                 std::span<const Item> items) {
  const std::size_t start = out.size();
  out.resize(start + line_bound(event, items));
  out.resize(static_cast<std::size_t>(write_line(out.data() + start, time, level, event, items) - out.data()));
}

}  // namespace gateway::log
