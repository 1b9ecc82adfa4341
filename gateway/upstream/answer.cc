#include "gateway/upstream/answer.h"

#include <algorithm>
#include <charconv>

#include "gateway/server/syntax.h"
#include "gateway/upstream/request_lines.h"

namespace gateway::upstream {

namespace {

using server::trim;

constexpr std::size_t kUsualFields = 16;

// RFC 9110 section 5.5: a recipient replaces what could end the line for another one. Done here, once, so that every
// way an answer takes from here, stored ones included, may write values as they are.
std::string clean_value(std::string_view text) {
  std::string value(trim(text));
  if (server::is_field_value(value)) return value;
  for (char& c : value)
    if (!server::is_field_value({&c, 1})) c = ' ';
  return std::string(trim(value));
}

bool is_framing(std::string_view name) {
  return policies::same_name(name, "Content-Length") || policies::same_name(name, "Transfer-Encoding");
}

int status_of(std::string_view status_line) {
  const std::size_t space = status_line.find(' ');
  if (space == status_line.npos) return 0;
  int status = 0;
  const char* begin = status_line.data() + space + 1;
  std::from_chars(begin, status_line.data() + status_line.size(), status);
  return status;
}

}  // namespace

bool Answer::fail(Fault fault) {
  fault_ = fault;
  return false;
}

bool Answer::line(std::string_view text) {
  field_bytes_ += text.size();
  if (field_bytes_ > field_limit_) return fail(Fault::FieldsTooLarge);
  while (text.ends_with('\n') || text.ends_with('\r')) text.remove_suffix(1);
  if (text.starts_with("HTTP/") && (response_.status == 0 || (head_done_ && response_.status < 200))) {
    response_.status = status_of(text);
    received_.clear();
    received_.reserve(kUsualFields);
    head_done_ = false;
    return true;
  }
  if (head_done_) return true;  // a trailer
  if (text.empty()) return end_of_head();
  if (server::is_blank(text.front()) && !received_.empty()) {
    received_.back().value.append(" ").append(clean_value(text));
    return true;
  }
  const std::size_t colon = std::min(text.find(':'), text.size());
  // A proxy takes the space before the colon away (RFC 9112 section 5.1). Framing that libcurl took no notice of
  // because of it would be guessed at.
  const auto name = trim(text.substr(0, colon));
  if (name.size() < colon && is_framing(name)) return fail(Fault::BadLength);
  received_.push_back({std::string(name), clean_value(text.substr(std::min(colon + 1, text.size())))});
  return true;
}

bool Answer::end_of_head() {
  head_done_ = true;
  if (response_.status == 101 || response_.status < 100) return fail(Fault::BadStatus);  // nothing was asked to switch
  return response_.status < 200 || check_length();
}

bool Answer::check_length() {
  std::optional<std::string_view> length;
  bool framed = false;
  for (const auto& field : received_) {
    framed = framed || policies::same_name(field.name, "Transfer-Encoding");
    if (!policies::same_name(field.name, "Content-Length")) continue;
    if (length && *length != field.value) return fail(Fault::BadLength);
    length = field.value;
  }
  if (!length || framed) return true;  // RFC 9112 section 6.3: a transfer coding wins
  std::size_t bytes = 0;
  const char* end = length->data() + length->size();
  const auto [stop, error] = std::from_chars(length->data(), end, bytes);
  if (error == std::errc::result_out_of_range) return fail(Fault::BodyTooLarge);
  if (error != std::errc() || stop != end) return fail(Fault::BadLength);
  if (!has_body_ || response_.status == 204 || response_.status == 304) return true;
  if (bytes > body_limit_) return fail(Fault::BodyTooLarge);
  response_.body.reserve(bytes);
  return true;
}

bool Answer::bytes(std::string_view text) {
  if (text.size() > body_limit_ - response_.body.size()) return fail(Fault::BodyTooLarge);
  response_.body.append(text);
  return true;
}

Response Answer::take() {
  std::string connection;
  bool framed = false;
  for (const auto& field : received_) {
    if (policies::same_name(field.name, "Connection")) connection.append(field.value).append(",");
    framed = framed || policies::same_name(field.name, "Transfer-Encoding");
  }
  for (auto& field : received_) {
    if (is_hop_by_hop(field.name, connection) || !server::is_token(field.name)) continue;
    if (framed && policies::same_name(field.name, "Content-Length")) continue;
    response_.fields.add(std::move(field.name), std::move(field.value));
  }
  return std::move(response_);
}

}  // namespace gateway::upstream
