#include "gateway/exchange/answer.h"

#include <charconv>

#include "gateway/server/answer_head.h"
#include "policies/conditional.h"

namespace gateway::exchange {

namespace {
bool kept(std::string_view name) {
  static constexpr std::string_view kRateLimit = "X-RateLimit-";
  return !policies::same_name(name, "Content-Length") && !policies::same_name(name, "Age") &&
         !policies::same_name(name, "X-Request-Id") &&
         !policies::same_name(name.substr(0, kRateLimit.size()), kRateLimit);
}

// Only statuses that are stored have a prepared head.
std::string_view reason_phrase(int status) { return status == 200 ? "OK" : status == 404 ? "Not Found" : ""; }

constexpr std::size_t kHitFields = 160;  // their usual size

template <typename Each>
void for_each_field(std::string_view head, Each each) {
  auto end_of_line = head.find("\r\n");
  while (end_of_line != std::string_view::npos && end_of_line + 2 < head.size()) {
    const auto begin = end_of_line + 2;
    end_of_line = head.find("\r\n", begin);
    const auto line = head.substr(begin, end_of_line - begin);
    const auto colon = line.find(": ");
    if (colon != std::string_view::npos) each(line.substr(0, colon), line.substr(colon + 2));
  }
}
}  // namespace

std::string prepared_head(int status, const policies::Fields& fields, std::size_t body_size,
                          policies::WallTime received) {
  std::string head;
  head.reserve(768);
  head.append("HTTP/1.1 ").append(std::to_string(status)).append(" ").append(reason_phrase(status)).append("\r\n");
  for (const auto& field : fields)
    if (kept(field.name)) head.append(field.name).append(": ").append(field.value).append("\r\n");
  // RFC 9110 section 6.6.1: a recipient that keeps an answer without a Date gives it one, of its reception.
  if (!fields.find("Date"))
    head.append("Date: ").append(server::http_date(std::chrono::system_clock::to_time_t(received))).append("\r\n");
  head.append("Content-Length: ").append(std::to_string(body_size)).append("\r\n");
  head.shrink_to_fit();
  return head;
}

std::string_view prepared_value(std::string_view head, std::string_view name) {
  std::optional<std::string_view> first;
  for_each_field(head, [&](std::string_view each, std::string_view value) {
    if (!first && policies::same_name(each, name)) first = value;
  });
  return first.value_or(std::string_view());
}

policies::Fields fields_of(const cache::Entry& entry) {
  policies::Fields fields;
  for_each_field(entry.head(), [&](std::string_view name, std::string_view value) {
    if (!policies::same_name(name, "Content-Length")) fields.add(std::string(name), std::string(value));
  });
  return fields;
}

server::Response response_of(const std::shared_ptr<const cache::Entry>& entry) {
  server::Response response;
  response.status = entry->status();
  response.fields = fields_of(*entry);
  response.body = cache::Entry::body_of(entry);
  return response;
}

void append_hit_fields(std::string& extra, std::chrono::milliseconds age, std::string_view request_id,
                       const policies::CacheStatus& status) {
  char digits[20];
  const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(age).count();
  extra.reserve(kHitFields + request_id.size());
  extra.append("Age: ").append(digits, std::to_chars(digits, digits + sizeof digits, seconds).ptr);
  extra.append("\r\nVia: 1.1 contacts-gateway\r\nX-Request-Id: ").append(request_id).append("\r\nCache-Status: ");
  policies::append_cache_status(extra, status);
  extra.append("\r\n");
}

std::string not_modified_head(const cache::Entry& entry) {
  std::string head = "HTTP/1.1 304 Not Modified\r\n";
  for_each_field(entry.head(), [&](std::string_view name, std::string_view value) {
    if (policies::carried_by_304(name)) head.append(name).append(": ").append(value).append("\r\n");
  });
  return head;
}

}  // namespace gateway::exchange
