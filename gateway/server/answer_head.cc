#include "gateway/server/answer_head.h"

#include <algorithm>
#include <array>
#include <utility>

#include "gateway/server/syntax.h"

namespace gateway::server {

using policies::same_name;

namespace {

constexpr auto kPhrases = std::to_array<std::pair<int, std::string_view>>({
    {100, "Continue"},
    {101, "Switching Protocols"},
    {102, "Processing"},
    {103, "Early Hints"},
    {200, "OK"},
    {201, "Created"},
    {202, "Accepted"},
    {203, "Non-Authoritative Information"},
    {204, "No Content"},
    {205, "Reset Content"},
    {206, "Partial Content"},
    {207, "Multi-Status"},
    {300, "Multiple Choices"},
    {301, "Moved Permanently"},
    {302, "Found"},
    {303, "See Other"},
    {304, "Not Modified"},
    {307, "Temporary Redirect"},
    {308, "Permanent Redirect"},
    {400, "Bad Request"},
    {401, "Unauthorized"},
    {402, "Payment Required"},
    {403, "Forbidden"},
    {404, "Not Found"},
    {405, "Method Not Allowed"},
    {406, "Not Acceptable"},
    {407, "Proxy Authentication Required"},
    {408, "Request Timeout"},
    {409, "Conflict"},
    {410, "Gone"},
    {411, "Length Required"},
    {412, "Precondition Failed"},
    {413, "Content Too Large"},
    {414, "URI Too Long"},
    {415, "Unsupported Media Type"},
    {416, "Range Not Satisfiable"},
    {417, "Expectation Failed"},
    {421, "Misdirected Request"},
    {422, "Unprocessable Content"},
    {423, "Locked"},
    {424, "Failed Dependency"},
    {425, "Too Early"},
    {426, "Upgrade Required"},
    {428, "Precondition Required"},
    {429, "Too Many Requests"},
    {431, "Request Header Fields Too Large"},
    {451, "Unavailable For Legal Reasons"},
    {500, "Internal Server Error"},
    {501, "Not Implemented"},
    {502, "Bad Gateway"},
    {503, "Service Unavailable"},
    {504, "Gateway Timeout"},
    {505, "HTTP Version Not Supported"},
    {507, "Insufficient Storage"},
    {508, "Loop Detected"},
    {511, "Network Authentication Required"},
});

bool is_framing(std::string_view name) {
  return same_name(name, "connection") || same_name(name, "transfer-encoding") || same_name(name, "keep-alive");
}

void append_clean(std::string& out, std::string_view text) {
  const auto start = out.size();
  out.append(text);
  std::replace_if(
      out.begin() + static_cast<std::ptrdiff_t>(start), out.end(),
      [](char c) { return c == '\r' || c == '\n' || c == '\0'; }, ' ');
}

void append_line(std::string& out, std::string_view name, std::string_view value) {
  append_clean(out, name);
  out.append(": ");
  append_clean(out, value);
  out.append("\r\n");
}

void append_status_line(std::string& out, int status) {
  out.append("HTTP/1.1 ").append(std::to_string(status)).append(" ").append(reason_phrase(status)).append("\r\n");
}

}  // namespace

std::string_view reason_phrase(int status) {
  const auto found = std::lower_bound(kPhrases.begin(), kPhrases.end(), status,
                                      [](const auto& phrase, int wanted) { return phrase.first < wanted; });
  return found != kPhrases.end() && found->first == status ? found->second : std::string_view{};
}

std::string http_date(std::time_t now) {
  static constexpr const char* kDays[] = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
  static constexpr const char* kMonths[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                            "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
  std::tm utc{};
  gmtime_r(&now, &utc);
  std::array<char, 64> text{};
  const int size =
      std::snprintf(text.data(), text.size(), "%s, %02d %s %04d %02d:%02d:%02d GMT", kDays[utc.tm_wday], utc.tm_mday,
                    kMonths[utc.tm_mon], utc.tm_year + 1900, utc.tm_hour, utc.tm_min, utc.tm_sec);
  return {text.data(), static_cast<std::size_t>(size)};
}

bool has_no_body(int status) { return status < 200 || status == 204 || status == 304; }

bool asks_to_close(const policies::Fields& fields) {
  return std::any_of(fields.begin(), fields.end(), [](const policies::Field& field) {
    return same_name(field.name, "connection") && same_name(trim(field.value), "close");
  });
}

void append_head(std::string& out, const Response& response, Delimiter delimiter, std::string_view connection,
                 std::string_view date) {
  append_status_line(out, response.status);
  bool dated = false;
  for (const auto& field : response.fields) {
    if (is_framing(field.name)) continue;
    const bool may_tell_length = delimiter.kind == Delimiter::Kind::None && response.status != 204;
    if (!may_tell_length && same_name(field.name, "content-length")) continue;
    dated = dated || same_name(field.name, "date");
    append_line(out, field.name, field.value);
  }
  if (!dated) append_line(out, "Date", date);
  if (delimiter.kind == Delimiter::Kind::Length) append_line(out, "Content-Length", std::to_string(delimiter.length));
  if (delimiter.kind == Delimiter::Kind::Chunked) append_line(out, "Transfer-Encoding", "chunked");
  if (!connection.empty()) append_line(out, "Connection", connection);
  out.append("\r\n");
}

}  // namespace gateway::server
