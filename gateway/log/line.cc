#include "gateway/log/line.h"

#include <charconv>
#include <cmath>
#include <cstdio>
#include <ctime>

namespace gateway::log {

namespace {

constexpr std::size_t kLongestValue = 2048;
constexpr std::string_view kReplacement = "\xEF\xBF\xBD";  // U+FFFD

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

void append_ascii(std::string& out, char c) {
  static constexpr char kHex[] = "0123456789abcdef";
  const auto byte = static_cast<unsigned char>(c);
  if (c == '"' || c == '\\')
    out.append({'\\', c});
  else if (c == '\n')
    out.append("\\n");
  else if (c == '\r')
    out.append("\\r");
  else if (c == '\t')
    out.append("\\t");
  else if (byte < 0x20 || byte == 0x7f)
    out.append("\\u00").append({kHex[byte >> 4], kHex[byte & 15]});
  else
    out += c;
}

void append_string(std::string& out, std::string_view text) {
  const bool cut = text.size() > kLongestValue;
  const std::size_t end = cut ? kLongestValue : text.size();
  out += '"';
  for (std::size_t at = 0; at < end;) {
    const std::size_t length = sequence(text.substr(at));
    if (length == 0)
      out.append(kReplacement);
    else if (length == 1)
      append_ascii(out, text[at]);
    else
      out.append(text.substr(at, length));
    at += length == 0 ? 1 : length;
  }
  out.append(cut ? "…\"" : "\"");
}

template <typename Number>
void append_number(std::string& out, Number number) {
  char digits[32];
  const auto end = std::to_chars(digits, digits + sizeof digits, number).ptr;
  out.append(digits, static_cast<std::size_t>(end - digits));
}

struct ValueWriter {
  std::string& out;
  void operator()(std::string_view text) const { append_string(out, text); }
  void operator()(std::int64_t number) const { append_number(out, number); }
  void operator()(bool on) const { out.append(on ? "true" : "false"); }
  void operator()(double number) const {
    if (std::isfinite(number))
      append_number(out, number);
    else
      out.append("null");
  }
};

// RFC 3339 in UTC, microseconds.
void append_time(std::string& out, std::chrono::system_clock::time_point time) {
  const auto micros = std::chrono::floor<std::chrono::microseconds>(time.time_since_epoch());
  const auto seconds = std::chrono::floor<std::chrono::seconds>(micros);
  const std::time_t whole = seconds.count();
  std::tm utc{};
  ::gmtime_r(&whole, &utc);
  char text[64];
  const std::size_t length = std::strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%S", &utc);
  const int more =
      std::snprintf(text + length, sizeof text - length, ".%06dZ", static_cast<int>((micros - seconds).count()));
  out.append(text, length + static_cast<std::size_t>(more));
}

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

void append_line(std::string& out, std::chrono::system_clock::time_point time, Level level, std::string_view event,
                 std::span<const Item> items) {
  out.append("{\"time\":\"");
  append_time(out, time);
  out.append("\",\"level\":\"").append(to_string(level)).append("\",\"event\":");
  append_string(out, event);
  for (const Item& item : items) {
    out += ',';
    append_string(out, item.key);
    out += ':';
    std::visit(ValueWriter{out}, item.value);
  }
  out += '}';
}

}  // namespace gateway::log
