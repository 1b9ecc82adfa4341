#include "policies/tracing.h"

#include <algorithm>
#include <cstddef>
#include <span>

namespace policies {

namespace {

constexpr std::size_t kLength = 55;  // of version 00
constexpr std::size_t kTrace = 3, kParent = 36, kFlags = 53;
constexpr std::uint8_t kSampled = 1;

// Lower case only (section 3.2.1); -1 for any other character.
int digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

bool read_hex(std::string_view text, std::span<std::uint8_t> bytes) {
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    const int high = digit(text[2 * i]), low = digit(text[2 * i + 1]);
    if (high < 0 || low < 0) return false;
    bytes[i] = static_cast<std::uint8_t>(high * 16 + low);
  }
  return true;
}

void write_hex(std::span<const std::uint8_t> bytes, std::string& text) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  for (const std::uint8_t byte : bytes) text.append({kDigits[byte >> 4], kDigits[byte & 15]});
}

bool all_zero(std::span<const std::uint8_t> bytes) {
  return std::all_of(bytes.begin(), bytes.end(), [](std::uint8_t byte) { return byte == 0; });
}

bool well_shaped(std::string_view text, std::uint8_t version) {
  if (version == 0xff || text[2] != '-' || text[kParent - 1] != '-' || text[kFlags - 1] != '-') return false;
  return text.size() == kLength || (version > 0 && text[kLength] == '-');
}

}  // namespace

std::optional<TraceParent> parse_traceparent(std::string_view text) {
  std::array<std::uint8_t, 1> version{}, flags{};
  TraceParent result;
  if (text.size() < kLength || !read_hex(text, version) || !well_shaped(text, version[0])) return std::nullopt;
  if (!read_hex(text.substr(kTrace), result.trace) || all_zero(result.trace)) return std::nullopt;
  if (!read_hex(text.substr(kParent), result.parent) || all_zero(result.parent)) return std::nullopt;
  if (!read_hex(text.substr(kFlags), flags)) return std::nullopt;
  result.sampled = (flags[0] & kSampled) != 0;
  return result;
}

std::string format_traceparent(const TraceParent& traceparent) {
  std::string text = "00-";
  text.reserve(kLength);
  write_hex(traceparent.trace, text);
  text += '-';
  write_hex(traceparent.parent, text);
  return text += traceparent.sampled ? "-01" : "-00";
}

std::string hex(const TraceId& id) {
  std::string text;
  write_hex(id, text);
  return text;
}

std::optional<TraceParent> received_traceparent(FieldsView fields) {
  const FieldView* found = nullptr;
  for (const auto& field : fields) {
    if (!same_name(field.name, "traceparent")) continue;
    if (found != nullptr) return std::nullopt;
    found = &field;
  }
  return found == nullptr ? std::nullopt : parse_traceparent(found->value);
}

TraceParent continued(const std::optional<TraceParent>& received, TraceId fresh, SpanId span) {
  if (all_zero(fresh)) fresh.back() = 1;
  if (all_zero(span)) span.back() = 1;
  if (!received) return {fresh, span, true};
  return {received->trace, span, received->sampled};
}

}  // namespace policies
