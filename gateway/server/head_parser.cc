#include "gateway/server/head_parser.h"

#include <algorithm>

#include "gateway/server/syntax.h"
#include "gateway/server/target.h"

namespace gateway::server {

using policies::same_name;

namespace {

// What one pass over the field lines gathers.
struct FieldPass {
  Head* head;
  int hosts = 0;
  int lengths = 0;
  int codings = 0;  // transfer codings named, over all lines
  bool chunked = false;
  bool other_coding = false;
  bool close = false;
  bool keep_alive = false;
  std::vector<std::string_view> dropped;  // fields that Connection names (RFC 9110 section 7.6.1)
};

template <typename Visit>
void for_each_element(std::string_view list, Visit visit) {
  while (!list.empty()) {
    const auto comma = list.find(',');
    const auto element = trim(list.substr(0, comma));
    if (!element.empty()) visit(element);
    if (comma == std::string_view::npos) return;
    list.remove_prefix(comma + 1);
  }
}

void take_connection(FieldPass& pass, std::string_view value) {
  for_each_element(value, [&](std::string_view option) {
    if (same_name(option, "close"))
      pass.close = true;
    else if (same_name(option, "keep-alive"))
      pass.keep_alive = true;
    else
      pass.dropped.push_back(option);
  });
}

void take_transfer_encoding(FieldPass& pass, std::string_view value) {
  if (value.empty()) pass.other_coding = true;
  for_each_element(value, [&](std::string_view coding) {
    ++pass.codings;
    (same_name(coding, "chunked") ? pass.chunked : pass.other_coding) = true;
  });
}

std::optional<Refusal> take_length(FieldPass& pass, std::string_view value) {
  constexpr std::size_t kMostDigits = 18;  // fits 64 bits; more is above every limit
  const bool digits =
      !value.empty() && std::all_of(value.begin(), value.end(), [](char c) { return c >= '0' && c <= '9'; });
  if (!digits || ++pass.lengths > 1) return refusal::kLength;
  value.remove_prefix(std::min(value.find_first_not_of('0'), value.size() - 1));
  if (value.size() > kMostDigits) return refusal::kBodySize;
  pass.head->content_length = 0;
  for (char c : value) pass.head->content_length = pass.head->content_length * 10 + static_cast<unsigned>(c - '0');
  return std::nullopt;
}

std::optional<Refusal> take_host(FieldPass& pass, std::string_view value) {
  if (++pass.hosts > 1 || !is_authority(value)) return refusal::kHost;
  if (pass.head->host.empty()) pass.head->host = value;  // an absolute-form target's authority comes first
  return std::nullopt;
}

std::optional<Refusal> take_expect(FieldPass& pass, std::string_view value) {
  if (!same_name(value, "100-continue")) return refusal::kExpectation;
  pass.head->expects_continue = pass.head->minor_version > 0;  // RFC 9110 section 10.1.1: not from 1.0
  return std::nullopt;
}

// The fields that steer this hop are taken out; all others are kept as they came.
std::optional<Refusal> take_field(FieldPass& pass, std::string_view name, std::string_view value) {
  switch (name.size()) {
    case 2:
      if (same_name(name, "te")) return std::nullopt;
      break;
    case 4:
      if (same_name(name, "host")) return take_host(pass, value);
      break;
    case 6:
      if (same_name(name, "expect")) return take_expect(pass, value);
      break;
    case 7:
      if (same_name(name, "upgrade") || same_name(name, "trailer")) return std::nullopt;
      break;
    case 10:
      if (same_name(name, "connection")) return take_connection(pass, value), std::nullopt;
      if (same_name(name, "keep-alive")) return std::nullopt;
      break;
    case 14:
      if (same_name(name, "content-length")) return take_length(pass, value);
      break;
    case 16:
      if (same_name(name, "proxy-connection")) return std::nullopt;
      break;
    case 17:
      if (same_name(name, "transfer-encoding")) return take_transfer_encoding(pass, value), std::nullopt;
      break;
    default:
      break;
  }
  pass.head->fields.push_back({name, value});
  return std::nullopt;
}

// RFC 9112 section 5.1: no space before the colon; those around the value are not part of it.
std::optional<Refusal> take_line(FieldPass& pass, std::string_view line) {
  const auto name = line.substr(0, token_length(line));
  if (name.empty() || name.size() == line.size() || line[name.size()] != ':') return refusal::kField;
  const auto value = trim(line.substr(name.size() + 1));
  if (!is_field_value(value)) return refusal::kField;
  return take_field(pass, name, value);
}

// `lines`: field lines, CRLF ended, and the empty line.
std::optional<Refusal> take_lines(FieldPass& pass, std::string_view lines) {
  for (auto end = lines.find("\r\n"); end != 0; end = lines.find("\r\n")) {
    if (end == std::string_view::npos) return refusal::kField;
    if (auto refused = take_line(pass, lines.substr(0, end))) return refused;
    lines.remove_prefix(end + 2);
  }
  return std::nullopt;
}

// RFC 9112 section 6.3
std::optional<Refusal> decide_framing(const FieldPass& pass, const Limits& limits, Head& head) {
  head.framing = Framing::None;
  if (pass.codings > 0 || pass.other_coding) {
    if (pass.lengths > 0 || head.minor_version == 0) return refusal::kFraming;
    if (pass.other_coding) return refusal::kCoding;
    if (pass.codings > 1) return refusal::kFraming;
    head.framing = Framing::Chunked;
  } else if (pass.lengths > 0) {
    if (head.content_length > limits.body_bytes) return refusal::kBodySize;
    if (head.content_length > 0) head.framing = Framing::Length;
  }
  return std::nullopt;
}

void drop_named_fields(const std::vector<std::string_view>& names, std::vector<policies::FieldView>& fields) {
  if (names.empty()) return;
  std::erase_if(fields, [&](const policies::FieldView& field) {
    return std::any_of(names.begin(), names.end(), [&](std::string_view name) { return same_name(name, field.name); });
  });
}

}  // namespace

std::optional<Refusal> parse_request_line(std::string_view line, const Limits& limits, Head& head) {
  const auto method_end = line.find(' ');
  const auto target_end = line.rfind(' ');
  if (method_end == std::string_view::npos || target_end == method_end) return refusal::kRequestLine;
  head.method = line.substr(0, method_end);
  head.target = line.substr(method_end + 1, target_end - method_end - 1);
  const auto version = line.substr(target_end + 1);
  const auto digit = [&](std::size_t at) { return version[at] >= '0' && version[at] <= '9'; };
  if (!is_token(head.method) || head.target.empty()) return refusal::kRequestLine;
  if (version.size() != 8 || !version.starts_with("HTTP/") || !digit(5) || version[6] != '.' || !digit(7)) {
    return refusal::kRequestLine;
  }
  if (head.target.size() > limits.target_bytes) return refusal::kTargetSize;
  if (version[5] != '1') return refusal::kVersion;
  head.minor_version = version[7] == '0' ? 0 : 1;
  return std::nullopt;
}

std::optional<Refusal> parse_head(std::string_view bytes, const Limits& limits, Head& head) {
  head.fields.clear();
  head.host = {};
  head.expects_continue = false;
  head.content_length = 0;
  const auto line_end = bytes.find("\r\n");
  if (auto refused = parse_request_line(bytes.substr(0, line_end), limits, head)) return refused;
  if (!split_target(head)) return refusal::kTarget;

  FieldPass pass{.head = &head};
  if (auto refused = take_lines(pass, bytes.substr(line_end + 2))) return refused;
  if (pass.hosts == 0 && head.minor_version > 0) return refusal::kHost;
  if (auto refused = decide_framing(pass, limits, head)) return refused;
  head.keep_alive = !pass.close && (head.minor_version > 0 || pass.keep_alive);
  drop_named_fields(pass.dropped, head.fields);
  return std::nullopt;
}

}  // namespace gateway::server
