#include "gateway/cli/admin_call.h"

#include <curl/curl.h>

#include "gateway/config/read_text_file.h"
#include "policies/flows/json.h"

namespace gateway::cli {

namespace {

struct Curl {
  CURL* handle = curl_easy_init();
  curl_slist* fields = nullptr;
  ~Curl() { curl_slist_free_all(fields), curl_easy_cleanup(handle); }
};

std::size_t append(char* data, std::size_t size, std::size_t count, void* to) {
  static_cast<std::string*>(to)->append(data, size * count);
  return size * count;
}

std::string read_key(const std::string& path) {
  if (path.empty()) return {};
  std::string key = config::read_text_file(path);
  while (key.ends_with('\n') || key.ends_with('\r')) key.pop_back();
  return key;
}

// A member of a problem body; empty where it has none.
std::string problem_text(const AdminAnswer& answer, std::string_view name) {
  const auto json = policies::flows::parse_json(answer.body, true);
  const auto* problem = std::get_if<policies::flows::Json>(&json);
  const auto* member = problem != nullptr ? problem->find(name) : nullptr;
  const auto* text = member != nullptr ? member->as<std::string>() : nullptr;
  return text != nullptr ? *text : std::string();
}

}  // namespace

std::string problem_type(const AdminAnswer& answer) {
  const auto type = problem_text(answer, "type");
  return type.substr(type.rfind('/') + 1);
}

std::string complaint_of(const AdminRequest& request, const AdminAnswer& answer) {
  if (answer.status == 0) return "the admin address " + request.address + " does not answer: " + answer.body;
  const auto title = problem_text(answer, "title");
  if (title.empty()) return "the admin address " + request.address + " answered " + std::to_string(answer.status);
  return title + ": " + problem_text(answer, "detail") + " (" + problem_type(answer) + ")";
}

AdminAnswer call_admin(const AdminRequest& request) {
  constexpr long kSeconds = 30;
  constexpr std::string_view kUnix = "unix:";
  const std::string key = read_key(request.key_file);
  const bool local = request.address.starts_with(kUnix);
  Curl curl;
  AdminAnswer answer;
  curl_easy_setopt(curl.handle, CURLOPT_URL,
                   ("http://" + (local ? "localhost" : request.address) + request.target).c_str());
  if (local) curl_easy_setopt(curl.handle, CURLOPT_UNIX_SOCKET_PATH, request.address.c_str() + kUnix.size());
  curl_easy_setopt(curl.handle, CURLOPT_PROXY, "");
  if (!request.body.empty()) curl_easy_setopt(curl.handle, CURLOPT_POSTFIELDS, request.body.c_str());
  curl_easy_setopt(curl.handle, CURLOPT_TIMEOUT, kSeconds);
  curl_easy_setopt(curl.handle, CURLOPT_NOSIGNAL, 1L);
  curl.fields = curl_slist_append(curl.fields, "Content-Type: application/json");
  if (!key.empty()) curl.fields = curl_slist_append(curl.fields, ("Authorization: Bearer " + key).c_str());
  curl_easy_setopt(curl.handle, CURLOPT_HTTPHEADER, curl.fields);
  curl_easy_setopt(curl.handle, CURLOPT_WRITEFUNCTION, append);
  curl_easy_setopt(curl.handle, CURLOPT_WRITEDATA, &answer.body);
  const auto result = curl_easy_perform(curl.handle);
  long status = 0;
  curl_easy_getinfo(curl.handle, CURLINFO_RESPONSE_CODE, &status);
  answer.status = result == CURLE_OK ? static_cast<int>(status) : 0;
  if (result != CURLE_OK) answer.body = curl_easy_strerror(result);
  return answer;
}

}  // namespace gateway::cli
